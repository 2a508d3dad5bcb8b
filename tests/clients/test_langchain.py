"""LangChain's OpenAI and Anthropic integrations against the real server."""

import asyncio

import pytest
from langchain_anthropic import ChatAnthropic
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI, OpenAI, OpenAIEmbeddings


@tool
def get_weather(city: str) -> str:
    """Weather of a city."""
    return "Sunny in " + city


@pytest.fixture(params=["openai", "responses", "anthropic"])
def chat(request, server, model):
    if request.param == "anthropic":
        return ChatAnthropic(base_url=server.url, api_key="none", model=model, temperature=0, max_tokens=60,
                             max_retries=0)
    return ChatOpenAI(base_url=server.url + "/v1", api_key="none", model=model, temperature=0, max_tokens=60,
                      max_retries=0, stream_usage=True, use_responses_api=request.param == "responses")


def text_of(message):
    return message.text if isinstance(message.text, str) else message.text()


def test_streams_what_it_answers_whole(chat):
    whole = chat.invoke("Name three colours.")
    assert text_of(whole) and whole.usage_metadata["output_tokens"] > 0
    streamed = None
    for chunk in chat.stream("Name three colours."):
        streamed = chunk if streamed is None else streamed + chunk
    assert text_of(streamed) == text_of(whole)
    assert streamed.usage_metadata["output_tokens"] == whole.usage_metadata["output_tokens"]


# LangChain keeps one asynchronous HTTP client for all chats of a process: it lives in one loop.
LOOP = asyncio.new_event_loop()


def test_async_and_batch(chat):
    whole = text_of(chat.invoke("Say hello."))
    assert text_of(LOOP.run_until_complete(chat.ainvoke("Say hello."))) == whole
    assert [text_of(m) for m in chat.batch(["Say hello.", "Say hello."])] == [whole, whole]


def test_tools(chat):
    bound = chat.bind_tools([get_weather], tool_choice="get_weather")
    whole = bound.invoke("What is the weather in Paris?")
    assert [call["name"] for call in whole.tool_calls] == ["get_weather"]
    streamed = None
    for chunk in bound.stream("What is the weather in Paris?"):
        streamed = chunk if streamed is None else streamed + chunk
    assert [(c["name"], c["args"]) for c in streamed.tool_calls] == [(c["name"], c["args"]) for c in whole.tool_calls]


def test_completions(server, model):
    llm = OpenAI(base_url=server.url + "/v1", api_key="none", model=model, temperature=0, max_tokens=8)
    assert "Paris" in llm.invoke("The capital of France is")
    assert "".join(llm.stream("The capital of France is")) == llm.invoke("The capital of France is")


def test_embeddings(server, model):
    embeddings = OpenAIEmbeddings(base_url=server.url + "/v1", api_key="none", model=model,
                                  check_embedding_ctx_length=False)
    one, two = embeddings.embed_documents(["a cat", "a dog"])
    assert len(one) == len(two) > 0 and one != two
    assert embeddings.embed_query("a cat") == pytest.approx(one, abs=1e-6)
