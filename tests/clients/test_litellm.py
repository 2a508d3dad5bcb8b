"""LiteLLM's OpenAI-compatible and Anthropic providers against the real server."""

import os

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # no look at the network

import litellm  # noqa: E402
import pytest  # noqa: E402

WEATHER = {"type": "function", "function": {
    "name": "get_weather", "description": "Weather of a city",
    "parameters": {"type": "object", "properties": {"city": {"type": "string", "maxLength": 20}}, "required": ["city"]}}}


@pytest.fixture(params=["openai", "anthropic"])
def asked(request, server, model):
    base = server.url + "/v1" if request.param == "openai" else server.url
    return {"model": f"{request.param}/{model}", "api_base": base, "api_key": "none", "temperature": 0,
            "max_tokens": 60, "messages": [{"role": "user", "content": "Name three colours."}]}


def test_streams_what_it_answers_whole(asked):
    whole = litellm.completion(**asked)
    assert whole.choices[0].message.content and whole.usage.completion_tokens > 0
    chunks = list(litellm.completion(**asked, stream=True))
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text == whole.choices[0].message.content


def test_tools(asked):
    forced = {"type": "function", "function": {"name": "get_weather"}}
    whole = litellm.completion(**asked, tools=[WEATHER], tool_choice=forced)
    call = whole.choices[0].message.tool_calls[0]
    assert call.function.name == "get_weather"
    chunks = list(litellm.completion(**asked, tools=[WEATHER], tool_choice=forced, stream=True))
    built = litellm.stream_chunk_builder(chunks)
    assert built.choices[0].message.tool_calls[0].function.name == "get_weather"


def test_embeddings(server, model):
    reply = litellm.embedding(model="openai/" + model, api_base=server.url + "/v1", api_key="none",
                              input=["a cat", "a dog"])
    assert len(reply.data) == 2
