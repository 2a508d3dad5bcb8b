"""The official Python client against the real server."""

import openai
import pytest

MESSAGES = [{"role": "user", "content": "Name three colours."}]


@pytest.fixture(scope="module")
def client(server):
    return openai.OpenAI(base_url=server.url + "/v1", api_key="none", max_retries=0)


def test_models(client):
    models = list(client.models.list())
    assert len(models) == 1
    assert models[0].object == "model"
    assert models[0].max_model_len > 0
    assert models[0].root.endswith(".gguf")
    assert client.models.retrieve(models[0].id).id == models[0].id
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("no-such-model")


def test_chat_streams_what_it_answers_whole(client):
    asked = {"model": "any", "messages": MESSAGES, "temperature": 0, "max_completion_tokens": 24}
    whole = client.chat.completions.create(**asked)
    message = whole.choices[0].message
    assert message.role == "assistant" and message.content
    assert whole.usage.total_tokens == whole.usage.prompt_tokens + whole.usage.completion_tokens

    chunks = list(client.chat.completions.create(**asked, stream=True, stream_options={"include_usage": True}))
    assert chunks[0].choices[0].delta.role == "assistant"
    assert chunks[0].choices[0].delta.content == ""
    assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == message.content
    *_, last_token, usage = chunks
    assert last_token.choices[0].finish_reason == whole.choices[0].finish_reason
    assert [c.choices[0].finish_reason for c in chunks[:-2]] == [None] * (len(chunks) - 2)
    assert usage.choices == []
    assert usage.usage.completion_tokens == whole.usage.completion_tokens
    assert len(chunks) == 1 + usage.usage.completion_tokens + 1, "role, a chunk per token, usage"
    assert usage.usage.prompt_tokens_details.cached_tokens > 0, "the same prompt was there a moment ago"


def test_completions(client):
    asked = {"model": "any", "prompt": "The capital of France is", "temperature": 0, "max_tokens": 8}
    whole = client.completions.create(**asked)
    assert whole.object == "text_completion"
    assert "Paris" in whole.choices[0].text
    chunks = list(client.completions.create(**asked, stream=True))
    assert "".join(c.choices[0].text for c in chunks) == whole.choices[0].text
    assert chunks[-1].choices[0].finish_reason == whole.choices[0].finish_reason == "length"


def test_prompts_in_all_forms(client, server):
    text = "The capital of France is"
    tokens = server.post("/tokenize", {"content": text, "add_special": True})["tokens"]
    asked = {"model": "any", "temperature": 0, "max_tokens": 5}
    alone = client.completions.create(prompt=text, **asked).choices[0].text
    assert client.completions.create(prompt=tokens, **asked).choices[0].text == alone
    several = client.completions.create(prompt=[tokens, tokens], **asked).choices
    assert [(c.index, c.text) for c in several] == [(0, alone), (1, alone)]
    other = client.completions.create(prompt=[text, "1, 2, 3,"], **asked).choices
    assert other[0].text == alone and other[1].text != alone
    assert client.completions.create(prompt=text, echo=True, **asked).choices[0].text == text + alone


def test_content_parts_are_the_same_as_a_string(client):
    asked = {"model": "any", "temperature": 0, "max_tokens": 8}
    parts = [{"role": "user", "content": [{"type": "text", "text": MESSAGES[0]["content"]}]}]
    whole = client.chat.completions.create(messages=MESSAGES, **asked)
    in_parts = client.chat.completions.create(messages=parts, **asked)
    assert in_parts.choices[0].message.content == whole.choices[0].message.content
    assert in_parts.usage.prompt_tokens == whole.usage.prompt_tokens


def test_stop_and_several_choices(client):
    asked = {"model": "any", "prompt": "1, 2, 3, 4,", "temperature": 0, "max_tokens": 20}
    plain = client.completions.create(**asked).choices[0].text
    assert "6" in plain
    stopped = client.completions.create(**asked, stop=["6"]).choices[0]
    assert stopped.finish_reason == "stop"
    assert stopped.text == plain[:plain.index("6")]
    sampled = {**asked, "temperature": 1.5, "n": 3, "seed": 7}
    choices = client.completions.create(**sampled).choices
    assert [c.index for c in choices] == [0, 1, 2]
    assert len({c.text for c in choices}) > 1, "different seeds"
    again = client.completions.create(**sampled).choices
    assert [c.text for c in again] == [c.text for c in choices], "same seed, same texts"


def test_logprobs(client):
    reply = client.chat.completions.create(model="any", messages=MESSAGES, temperature=0, max_tokens=4, logprobs=True,
                                           top_logprobs=3)
    content = reply.choices[0].logprobs.content
    assert len(content) == reply.usage.completion_tokens
    for entry in content:
        assert entry.logprob <= 0
        assert len(entry.top_logprobs) == 3
        assert entry.top_logprobs[0].token == entry.token, "greedy takes the likeliest"
        assert bytes(entry.bytes).decode(errors="replace") == entry.token


def test_errors_are_typed_and_name_the_field(client):
    with pytest.raises(openai.BadRequestError) as raised:
        client.chat.completions.create(model="any", messages=MESSAGES, temperature="hot")
    assert raised.value.param == "temperature"
    assert raised.value.type == "invalid_request_error"
    image = [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}]
    with pytest.raises(openai.BadRequestError) as raised:
        client.chat.completions.create(model="any", messages=image)
    assert raised.value.param == "messages[0].content[0]"
