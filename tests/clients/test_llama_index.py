"""LlamaIndex's OpenAI-like LLM and embeddings against the real server."""

import pytest
from llama_index.core.llms import ChatMessage
from llama_index.core.tools import FunctionTool
from llama_index.embeddings.openai_like import OpenAILikeEmbedding
from llama_index.llms.openai_like import OpenAILike


@pytest.fixture(scope="module")
def llm(server, model):
    return OpenAILike(api_base=server.url + "/v1", api_key="none", model=model, is_chat_model=True,
                      is_function_calling_model=True, temperature=0, max_tokens=60, max_retries=0)


def test_streams_what_it_answers_whole(llm):
    messages = [ChatMessage(role="user", content="Name three colours.")]
    whole = llm.chat(messages).message.content
    assert whole
    assert "".join(chunk.delta or "" for chunk in llm.stream_chat(messages)) == whole


def test_completions(llm):
    whole = llm.complete("Say hello.").text
    assert whole
    assert "".join(chunk.delta or "" for chunk in llm.stream_complete("Say hello.")) == whole


def test_tools(llm):
    def get_weather(city: str) -> str:
        """Weather of a city."""
        return "Sunny in " + city

    tool = FunctionTool.from_defaults(get_weather)
    reply = llm.chat_with_tools([tool], user_msg="What is the weather in Paris?", tool_required=True)
    calls = llm.get_tool_calls_from_response(reply)
    assert [call.tool_name for call in calls][:1] == ["get_weather"]
    *_, last = llm.stream_chat_with_tools([tool], user_msg="What is the weather in Paris?", tool_required=True)
    streamed = llm.get_tool_calls_from_response(last)
    assert [(c.tool_name, c.tool_kwargs) for c in streamed] == [(c.tool_name, c.tool_kwargs) for c in calls]


def test_embeddings(server, model):
    embeddings = OpenAILikeEmbedding(api_base=server.url + "/v1", api_key="none", model_name=model)
    one = embeddings.get_text_embedding("a cat")
    assert len(one) > 0
    assert len(embeddings.get_text_embedding_batch(["a cat", "a dog"])) == 2
