"""The conversations that every chat template is rendered with."""

WEATHER_TOOL = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Reads the weather \"now\" for a place <city & country>, e.g. K\u00f6ln",
        "parameters": {
            "type": "object",
            "properties": {
                "place": {"type": "string", "description": "city\nand country"},
                "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]},
                "days": {"type": "array", "items": {"type": "integer", "minimum": 1}},
                "precision": {"type": "number", "multipleOf": 0.001, "default": 0.5, "maximum": 1.0},
                "exact": {"type": "boolean", "default": False},
                "nothing": {"type": ["string", "null"], "default": None},
            },
            "required": ["place"],
        },
    },
}
TIME_TOOL = {
    "type": "function",
    "function": {"name": "get_time", "description": "", "parameters": {"type": "object", "properties": {}}},
}
ODD_NUMBERS_TOOL = {
    "type": "function",
    "function": {
        "name": "scale",
        "description": "Scales",
        "parameters": {
            "type": "object",
            "properties": {"factor": {"type": "number", "multipleOf": 1e-05, "maximum": 1e16, "minimum": -1.5e-300}},
            "required": [],
        },
    },
}
SYSTEM = {"role": "system", "content": "You are terse."}


def user(content):
    return {"role": "user", "content": content}


def assistant(content):
    return {"role": "assistant", "content": content}


def tool_exchange(arguments):
    return [
        SYSTEM,
        user("What is the weather in K\u00f6ln?"),
        {"role": "assistant", "content": "", "tool_calls": [
            {"id": "call00001", "type": "function", "function": {"name": "get_weather", "arguments": arguments}}]},
        {"role": "tool", "tool_call_id": "call00001", "name": "get_weather", "content": "{\"sky\": \"gr\u00e4ulich\"}"},
    ]


ARGUMENTS = {"place": "K\u00f6ln, \"DE\"", "days": [1, 2], "precision": 0.1, "exact": True, "nothing": None}

CONVERSATIONS = {
    "plain": {"messages": [user("Hello <there> & \"you\"\n\u4f60\u597d \U0001f600 ")]},
    "multi_turn": {"messages": [
        SYSTEM, user("  What is 2+2?\n"), assistant("<think>\neasy\n</think>\n\n4"), user("And 3+3?"),
        assistant("It's 6."), user("Why?")]},
    "tools": {"messages": [SYSTEM, user("Weather in Paris?")], "tools": [WEATHER_TOOL, TIME_TOOL]},
    "odd_numbers": {"messages": [user("Scale it")], "tools": [ODD_NUMBERS_TOOL]},
    "tool_results": {
        "messages": tool_exchange(ARGUMENTS) + [assistant("Greyish."), user("Thanks")],
        "tools": [WEATHER_TOOL, TIME_TOOL]},
    "tool_results_text_arguments": {
        "messages": tool_exchange("{\"place\": \"K\u00f6ln\"}"), "tools": [WEATHER_TOOL]},
    "tool_results_object_arguments": {"messages": tool_exchange({"place": "K\u00f6ln"}), "tools": [WEATHER_TOOL]},
    "parts": {"messages": [
        {"role": "system", "content": [{"type": "text", "text": "You are terse."}]},
        user([{"type": "text", "text": "One"}, {"type": "text", "text": "two?"}])]},
    "parts_as_strings": {"messages": [SYSTEM, user("One\ntwo?")]},
    "documents_and_variables": {
        "messages": [user("Say what the paper says")],
        "documents": [{"title": "A paper", "text": "It's so."}, {"title": "Another", "text": "It's not."}],
        "chat_template_kwargs": {"enable_thinking": False, "thinking": True, "reasoning_effort": "low",
                                 "custom": {"a": [1, 2.5, None]}, "keep_past_thinking": True}},
    "no_generation_prompt": {
        "messages": [user("Hi"), assistant("Hello!")], "add_generation_prompt": False},
}

# Pairs of conversations that say the same in the two shapes that clients use.
SAME_IN_OTHER_SHAPE = [
    ("parts", "parts_as_strings"), ("parts_as_strings", "parts"),
    ("tool_results_text_arguments", "tool_results_object_arguments"),
    ("tool_results_object_arguments", "tool_results_text_arguments"),
]
