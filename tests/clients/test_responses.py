"""The Responses API with OpenAI's own Python client against the real server."""

import json

import openai
import pytest

WEATHER = {"type": "function", "name": "get_weather", "strict": True, "description": "Weather of a city",
           "parameters": {"type": "object", "properties": {"city": {"type": "string", "maxLength": 20}},
                          "required": ["city"], "additionalProperties": False}}


@pytest.fixture(scope="module")
def client(server):
    return openai.OpenAI(base_url=server.url + "/v1", api_key="none", max_retries=0)


def test_streams_what_it_answers_whole(client, model):
    asked = {"model": model, "input": "Name three colours.", "instructions": "Be brief.", "temperature": 0,
             "max_output_tokens": 24}
    whole = client.responses.create(**asked)
    assert whole.object == "response" and whole.status in ("completed", "incomplete")
    assert whole.output_text and whole.instructions == "Be brief."
    assert whole.usage.total_tokens == whole.usage.input_tokens + whole.usage.output_tokens
    events = list(client.responses.create(**asked, stream=True))
    assert [event.sequence_number for event in events] == list(range(len(events)))
    kinds = [event.type for event in events]
    assert kinds[:4] == ["response.created", "response.in_progress", "response.output_item.added",
                         "response.content_part.added"]
    assert kinds[-4:-1] == ["response.output_text.done", "response.content_part.done", "response.output_item.done"]
    assert kinds[-1] == "response." + whole.status
    deltas = "".join(event.delta for event in events if event.type == "response.output_text.delta")
    assert deltas == whole.output_text == events[-1].response.output_text
    assert events[-1].response.usage.output_tokens == whole.usage.output_tokens


def test_the_clients_own_stream_helper(client, model):
    with client.responses.stream(model=model, input="Say hello.", max_output_tokens=400, temperature=0) as stream:
        for _ in stream:
            pass
        assert stream.get_final_response().output_text


def test_a_conversation_goes_on_by_id(client, model):
    first = client.responses.create(model=model, input="My name is Ada.", max_output_tokens=12)
    second = client.responses.create(model=model, input="What is my name?", max_output_tokens=12,
                                     previous_response_id=first.id)
    assert second.previous_response_id == first.id
    assert second.usage.input_tokens > first.usage.input_tokens + first.usage.output_tokens
    assert client.responses.retrieve(first.id).output_text == first.output_text
    client.responses.delete(first.id)
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(first.id)
    with pytest.raises(openai.NotFoundError):
        client.responses.create(model=model, input="x", previous_response_id=first.id)
    unstored = client.responses.create(model=model, input="x", max_output_tokens=2, store=False)
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(unstored.id)


def test_items_as_input(client, model):
    asked = {"model": model, "temperature": 0, "max_output_tokens": 8}
    text = client.responses.create(input="Say hello.", **asked)
    items = client.responses.create(input=[{"role": "user", "content": [{"type": "input_text", "text": "Say hello."}]}],
                                    **asked)
    assert items.output_text == text.output_text
    assert items.usage.input_tokens == text.usage.input_tokens


def test_structured_text(client, model):
    schema = {"type": "object", "properties": {"answer": {"type": "integer", "minimum": 0, "maximum": 99}},
              "required": ["answer"], "additionalProperties": False}
    reply = client.responses.create(
        model=model, input="How much is 2 and 2?", max_output_tokens=40,
        text={"format": {"type": "json_schema", "name": "sum", "schema": schema, "strict": True}})
    assert isinstance(json.loads(reply.output_text)["answer"], int)


def test_a_forced_tool_call_and_its_result(client, model):
    asked = {"model": model, "input": "What is the weather in Paris?", "tools": [WEATHER], "temperature": 0,
             "max_output_tokens": 120}
    whole = client.responses.create(**asked, tool_choice={"type": "function", "name": "get_weather"})
    call = whole.output[-1]
    assert (call.type, call.name) == ("function_call", "get_weather")
    assert "city" in json.loads(call.arguments)
    events = list(client.responses.create(**asked, tool_choice="required", stream=True))
    deltas = "".join(e.delta for e in events
                     if e.type == "response.function_call_arguments.delta" and e.output_index == 0)
    assert deltas == call.arguments
    answer = client.responses.create(model=model, previous_response_id=whole.id, max_output_tokens=12, tools=[WEATHER],
                                     input=[{"type": "function_call_output", "call_id": call.call_id,
                                             "output": "Sunny"}])
    assert answer.usage.input_tokens > whole.usage.input_tokens


def test_errors_name_the_field(client, model):
    for wrong, param in [({"input": 5}, "input"), ({"input": [{"type": "item_reference", "id": "x"}]}, "input[0].type"),
                         ({"input": "x", "max_output_tokens": 0}, "max_output_tokens"),
                         ({"input": "x", "background": True}, "background"),
                         ({"input": "x", "tools": [{"type": "web_search"}]}, "tools[0].type")]:
        with pytest.raises(openai.BadRequestError) as raised:
            client.responses.create(model=model, **wrong)
        assert raised.value.param == param
