"""Anthropic's own Python client against the real server."""

import anthropic
import pytest

ASKED = {"max_tokens": 24, "extra_body": {"temperature": 0}, "messages": [{"role": "user", "content": "Name three colours."}]}
WEATHER = {"name": "get_weather", "description": "Weather of a city",
           "input_schema": {"type": "object", "properties": {"city": {"type": "string", "maxLength": 20}},
                            "required": ["city"]}}


@pytest.fixture(scope="module")
def client(server):
    return anthropic.Anthropic(base_url=server.url, api_key="none", max_retries=0)


def test_streams_what_it_answers_whole(client, model):
    whole = client.messages.create(model=model, **ASKED)
    assert whole.type == "message" and whole.role == "assistant" and whole.id.startswith("msg_")
    assert [block.type for block in whole.content] == ["text"]
    assert whole.stop_reason in ("end_turn", "max_tokens")
    assert whole.usage.input_tokens + whole.usage.cache_read_input_tokens > 0 and whole.usage.output_tokens > 0
    with client.messages.stream(model=model, **ASKED) as stream:
        kinds = [event.type for event in stream]
        final = stream.get_final_message()
    assert final.content[0].text == whole.content[0].text
    assert final.stop_reason == whole.stop_reason
    assert final.usage.output_tokens == whole.usage.output_tokens
    assert kinds[0] == "message_start" and kinds[-1] == "message_stop"
    assert kinds.count("content_block_start") == kinds.count("content_block_stop") == 1


def test_raw_events_are_the_official_ones(client, model):
    events = list(client.messages.create(model=model, stream=True, **ASKED))
    kinds = [event.type for event in events if event.type != "ping"]
    assert kinds[:2] == ["message_start", "content_block_start"]
    assert kinds[-3:] == ["content_block_stop", "message_delta", "message_stop"]
    assert set(kinds[2:-3]) == {"content_block_delta"}
    assert events[0].message.usage.input_tokens > 0


def test_system_prefill_and_stop_sequences(client, model):
    plain = client.messages.create(model=model, system="You count.", max_tokens=20, extra_body={"temperature": 0}, messages=[
        {"role": "user", "content": [{"type": "text", "text": "Count from one to nine in digits."}]},
        {"role": "assistant", "content": "1, 2, 3, 4,"}])
    assert "6" in plain.content[0].text, "the answer goes on where the assistant's words end"
    stopped = client.messages.create(model=model, system="You count.", max_tokens=20, extra_body={"temperature": 0},
                                     stop_sequences=["6"], messages=[
        {"role": "user", "content": [{"type": "text", "text": "Count from one to nine in digits."}]},
        {"role": "assistant", "content": "1, 2, 3, 4,"}])
    assert (stopped.stop_reason, stopped.stop_sequence) == ("stop_sequence", "6")
    assert stopped.content[0].text == plain.content[0].text.split("6")[0]


def test_counts_tokens(client, model):
    counted = client.messages.count_tokens(model=model, messages=ASKED["messages"])
    usage = client.messages.create(model=model, **ASKED).usage
    assert counted.input_tokens == usage.input_tokens + usage.cache_read_input_tokens
    more = client.messages.count_tokens(model=model, messages=ASKED["messages"], tools=[WEATHER])
    assert more.input_tokens > counted.input_tokens, "tools are part of the prompt"


def test_a_forced_tool_call_and_its_result(client, model):
    asked = {"model": model, "max_tokens": 120, "extra_body": {"temperature": 0}, "tools": [WEATHER],
             "messages": [{"role": "user", "content": "What is the weather in Paris?"}]}
    whole = client.messages.create(**asked, tool_choice={"type": "tool", "name": "get_weather"})
    call = whole.content[-1]
    assert (whole.stop_reason, call.type, call.name) == ("tool_use", "tool_use", "get_weather")
    assert isinstance(call.input["city"], str)
    with client.messages.stream(**asked, tool_choice={"type": "any"}) as stream:
        final = stream.get_final_message()
    assert final.content[-1].input == call.input
    answer = client.messages.create(model=model, max_tokens=16, tools=[WEATHER], messages=[
        *asked["messages"], {"role": "assistant", "content": [call.model_dump(include={"type", "id", "name", "input"})]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": call.id, "content": "Sunny, 21 degrees."}]}])
    assert answer.usage.output_tokens > 0


def test_errors_have_anthropics_shape(client, model, server):
    with pytest.raises(anthropic.BadRequestError) as raised:
        client.messages.create(model=model, max_tokens=5, messages=[{"role": "robot", "content": "x"}])
    assert raised.value.body["type"] == "error"
    assert raised.value.body["error"]["type"] == "invalid_request_error"
    assert "messages[0].role" in raised.value.body["error"]["message"]
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AA=="}}
    with pytest.raises(anthropic.BadRequestError):
        client.messages.create(model=model, max_tokens=5, messages=[{"role": "user", "content": [image]}])
    status, body = server.request("GET", "/v1/messages")
    assert status == 405 and body["type"] == "error"
