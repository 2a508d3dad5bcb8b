// The table of pre-tokenizers. The patterns are those of the models' own tokenizer definitions
// (tokenizer.json), which is what the models were trained with; llama.cpp adapts a few to its regex
// engine (upper and lower case for tekken and gpt-4o, digit grouping for tiny_aya), so rare texts
// differ there. Code points outside ASCII are escapes, because some are invisible. Immutable: any
// thread.
#include "tokenizer/pre_tokenizer_table.h"

namespace twostroke {
namespace {

// GPT-2 (OpenAI, 2019), and the last step of many others.
constexpr std::string_view kGpt2 =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

// Llama 3: cl100k_base without its possessive quantifiers.
constexpr std::string_view kLlama3 =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|)"
    R"( ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

constexpr std::string_view kJais2 =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|)"
    R"( ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s{512}(?!\S)|\s{256}(?!\S)|\s{128}(?!\S)|)"
    R"(\s{64}(?!\S)|\s{32}(?!\S)|\s{16}(?!\S)|\s{8}(?!\S)|\s{4}(?!\S)|\s{1,2}(?!\S)|\s)";

constexpr std::string_view kQwen2 =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|)"
    R"(\s*[\r\n]+|\s+(?!\S)|\s+)";

constexpr std::string_view kQwen35 =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}|)"
    R"( ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

constexpr std::string_view kMiniCpm5 =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}+| ?[^\s\p{L}\p{N}]+[\r\n]*|)"
    R"(\s*[\r\n]+|\s+(?!\S)|\s+)";

constexpr std::string_view kSeedCoder =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}\r\n]+|)"
    R"(\s*[\r\n]+|\s+(?!\S)|\s+)";

constexpr std::string_view kUfakzeka =
    R"([^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

constexpr std::string_view kBailing =
    R"('(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|)"
    R"(\s*[\r\n]|\s+(?!\S)|\s+)";

// Possessive where giving back could never help a match, so that long words need no memory.
constexpr std::string_view kExaoneMoe =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?(?:\p{L}\p{M}*+(?: \p{L}\p{M}*+)*+)++|)"
    R"(\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]?|\s*[\r\n]|\s+(?!\S)|\s+)";

// Tekken and gpt-4o tell upper from lower case: a capital begins a new word.
constexpr std::string_view kTekken =
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|)"
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}|)"
    R"( ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

constexpr std::string_view kGpt4o =
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'r)"
    R"(e|'ve|'m|'ll|'d)?|)"
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'r)"
    R"(e|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

constexpr std::string_view kYoutuCased =
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'r)"
    R"(e|'ve|'m|'ll|'d)?|)"
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'r)"
    R"(e|'ve|'m|'ll|'d)?|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

constexpr std::string_view kYoutuScripts =
    R"([\x{AC00}-\x{D7A3}\x{3131}-\x{318E}]+|)"
    R"([\x{FF01}\x{2026}\x{201C}\x{201D}\x{2018}\x{2019}\x{2014}\x{FF1A}\x{FF1B}\x{FF0C})"
    R"(\x{3001}-\x{303F}\x{FE30}-\x{FE4F}]+|[\x{3105}-\x{312F}]+|)"
    R"([\x{4E00}-\x{9FA5}\x{3040}-\x{309F}\x{30A0}-\x{30FF}]+)";

// Kimi K2 is gpt-4o with Han apart. PCRE2 has no class intersection, so "cased letters that are not
// Han" is written as the complement of everything else.
constexpr std::string_view kKimiK2 =
    R"(\p{sc:Han}+|)"
    R"([^\r\n\p{L}\p{N}]?[^\p{Ll}\p{N}\p{P}\p{S}\p{Z}\p{C}\p{sc:Han}]*[^\p{Lu}\p{Lt}\p{N}\p{P})"
    R"(\p{S}\p{Z}\p{C}\p{sc:Han}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|)"
    R"([^\r\n\p{L}\p{N}]?[^\p{Ll}\p{N}\p{P}\p{S}\p{Z}\p{C}\p{sc:Han}]+[^\p{Lu}\p{Lt}\p{N}\p{P})"
    R"(\p{S}\p{Z}\p{C}\p{sc:Han}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}|)"
    R"( ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

// DeepSeek LLM lists the letters of alphabetic scripts that have case.
constexpr std::string_view kDeepSeekLetters =
    R"(\s?[A-Za-z\x{B5}\x{C0}-\x{D6}\x{D8}-\x{F6}\x{F8}-\x{1BA}\x{1BC}-\x{1BF}\x{1C4}-\x{293})"
    R"(\x{295}-\x{2AF}\x{370}-\x{373}\x{376}\x{377}\x{37B}-\x{37D}\x{37F}\x{386}\x{388}-\x{38A})"
    R"(\x{38C}\x{38E}-\x{3A1}\x{3A3}-\x{3F5}\x{3F7}-\x{481}\x{48A}-\x{52F}\x{531}-\x{556})"
    R"(\x{10A0}-\x{10C5}\x{13A0}-\x{13F5}\x{13F8}-\x{13FD}\x{1C90}-\x{1CBA}\x{1CBD}-\x{1CBF})"
    R"(\x{1D00}-\x{1D2B}\x{1D6B}-\x{1D77}\x{1D79}-\x{1D9A}\x{1E00}-\x{1F15}\x{1F18}-\x{1F1D})"
    R"(\x{1F20}-\x{1F45}\x{1F48}-\x{1F4D}\x{1F50}-\x{1F57}\x{1F59}\x{1F5B}\x{1F5D})"
    R"(\x{1F5F}-\x{1F7D}\x{1F80}-\x{1FB4}\x{1FB6}-\x{1FBC}\x{1FBE}\x{1FC2}-\x{1FC4})"
    R"(\x{1FC6}-\x{1FCC}\x{1FD0}-\x{1FD3}\x{1FD6}-\x{1FDB}\x{1FE0}-\x{1FEC}\x{1FF2}-\x{1FF4})"
    R"(\x{1FF6}-\x{1FFC}\x{2102}\x{2107}\x{210A}-\x{2113}\x{2115}\x{2119}-\x{211D}\x{2124})"
    R"(\x{2126}\x{2128}\x{212A}-\x{212D}\x{212F}-\x{2134}\x{2139}\x{213C}-\x{213F})"
    R"(\x{2145}-\x{2149}\x{214E}\x{2183}\x{2184}\x{2C00}-\x{2C7B}\x{2C7E}-\x{2CE4})"
    R"(\x{2CEB}-\x{2CEE}\x{2CF2}\x{2CF3}\x{A640}-\x{A66D}\x{A680}-\x{A69B}\x{A722}-\x{A76F})"
    R"(\x{A771}-\x{A787}\x{A78B}-\x{A78E}\x{AB70}-\x{ABBF}\x{FB00}-\x{FB06}\x{FB13}-\x{FB17})"
    R"(\x{FF21}-\x{FF3A}\x{FF41}-\x{FF5A}\x{10400}-\x{1044F}\x{104B0}-\x{104D3})"
    R"(\x{104D8}-\x{104FB}\x{10C80}-\x{10CB2}\x{10CC0}-\x{10CF2}\x{118A0}-\x{118DF})"
    R"(\x{1E900}-\x{1E943}]+)";

constexpr std::string_view kDeepSeekPunctuation =
    R"(\s?[!-/:-~\x{FF01}-\x{FF0F}\x{FF1A}-\x{FF5E}\x{2018}-\x{201F}\x{3000}-\x{3002}]+)";

constexpr std::string_view kDeepSeekCjk =
    R"([\x{4E00}-\x{9FA5}\x{800}-\x{4E00}\x{AC00}-\x{D7FF}]+)";

constexpr std::string_view kDeepSeekV3Cjk =
    R"([\x{4E00}-\x{9FA5}\x{3040}-\x{309F}\x{30A0}-\x{30FF}]+)";

constexpr std::string_view kDeepSeekV3 =
    R"([!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+|)"
    R"( ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

constexpr std::string_view kSpark =
    R"([!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+|)"
    R"( ?[\p{P}\p{S}]+|[\r\n]|\s+(?!\S)|\s+)";

// The model's own list begins at U+F900 (CJK compatibility ideographs); copies that went through a
// Unicode normaliser say U+8C48.
constexpr std::string_view kAfmoeScripts =
    R"([\x{4E00}-\x{9FFF}\x{3400}-\x{4DBF}\x{F900}-\x{FAFF}\x{3040}-\x{309F}\x{30A0}-\x{30FF})"
    R"(\x{FF65}-\x{FF9F}\x{2F00}-\x{2FDF}\x{E40}-\x{E7F}\x{E80}-\x{EFF}\x{1780}-\x{17FF})"
    R"(\x{1000}-\x{109F}\x{AA60}-\x{AA7F}\x{A9E0}-\x{A9FF}\x{AC00}-\x{D7AF}\x{1100}-\x{11FF}]+)";

constexpr std::string_view kBloom =
    R"( ?[^(\s|.,!?\x{2026}\x{3002}\x{FF0C}\x{3001}\x{964}\x{6D4}\x{60C})]+)";

constexpr std::string_view kPunctuation = R"([\p{P}\$\+<=>\^~\|]+)";

constexpr std::string_view kFalconPunctuation = R"([\p{P}\$\+<=>\^~\|`]+)";

// Digits that end at a word boundary. (*SKIP) keeps a long run that does not from being tried at
// every digit.
constexpr std::string_view kTinyAyaDigits = R"(\d++(*SKIP)(?![\p{Alphabetic}\p{M}\p{Nd}\p{Pc}]))";

constexpr std::string_view kNewlineRuns = R"([^\n]+|[\n]+)";

constexpr auto kIsolate = PreTokenizerStep::Kind::kIsolate;
constexpr auto kGroupDigits = PreTokenizerStep::Kind::kGroupDigits;

std::vector<PreTokenizerProfile> plain_profiles() {
  return {
      {.names = {"default"},
       .steps = {{kIsolate, kPunctuation},
                 {kIsolate, kGpt2},
                 {kIsolate, R"(\p{N}+)"},
                 {kIsolate, "[0-9][0-9][0-9]"}}},
      {.names = {"gpt-2", "phi-2", "jina-es", "jina-de", "gigachat", "jina-v2-es", "jina-v2-de",
                 "a.x-4.0", "mellum", "modern-bert", "jina-v1-en", "jina-v2-code", "roberta-bpe",
                 "exaone4", "mpt", "olmo", "jais", "trillion", "granite-docling"},
       .steps = {{kIsolate, kGpt2}}},
      {.names = {"smollm", "starcoder", "refact", "command-r", "codeshell", "exaone", "minerva-7b",
                 "mellum2"},
       .steps = {{kIsolate, R"(\p{N})"}, {kIsolate, kGpt2}}},
      {.names = {"falcon"},
       .steps = {{kIsolate, kFalconPunctuation}, {kIsolate, kGpt2}, {kIsolate, "[0-9][0-9][0-9]"}}},
      {.names = {"dbrx", "smaug-bpe"}, .steps = {{kIsolate, kLlama3}}},
      {.names = {"jais-2"}, .steps = {{kIsolate, kJais2}}},
      {.names = {"qwen2", "deepseek-r1-qwen", "kormo", "f2llmv2", "megrez", "stablelm2", "hunyuan",
                 "solar-open", "grok-2"},
       .steps = {{kIsolate, kQwen2}}},
      {.names = {"qwen35"}, .steps = {{kIsolate, kQwen35}}},
      {.names = {"laguna"}, .steps = {{kIsolate, kNewlineRuns}, {kIsolate, kQwen2}}},
      {.names = {"ufakzeka"}, .steps = {{kIsolate, kUfakzeka}}},
      {.names = {"seed-coder"}, .steps = {{kIsolate, kSeedCoder}}},
      {.names = {"bailingmoe", "bailingmoe2", "llada-moe"}, .steps = {{kIsolate, kBailing}}},
      {.names = {"exaone-moe"}, .steps = {{kIsolate, kExaoneMoe}}},
      {.names = {"gpt-4o", "llama4", "kanana2", "talkie", "minimax-m2"},
       .steps = {{kIsolate, kGpt4o}}},
      {.names = {"kimi-k2"}, .steps = {{kIsolate, kKimiK2}}},
      {.names = {"superbpe"}, .steps = {{kIsolate, R"(\p{N}+)"}, {kGroupDigits, R"(\d+)"}}},
      {.names = {"tiny_aya", "cohere2moe"},
       .steps = {{kGroupDigits, kTinyAyaDigits}, {kIsolate, kGpt4o}}},
      {.names = {"bloom", "poro-chat", "gpt3-finnish"}, .steps = {{kIsolate, kBloom}}},
      {.names = {"viking"}, .steps = {{kIsolate, kBloom}, {kIsolate, R"(\p{N})"}}},
      {.names = {"chameleon"},
       .steps = {{kIsolate, "<sentinel:[0-9]+>"},
                 {kIsolate, "IMGIMG[A-I]{1,4}Z"},
                 {kIsolate, R"([\t\n]|    |  )"},
                 {kIsolate, R"(\p{N})"},
                 {kIsolate, R"([\p{P}!-/:-@\[-`{-~])"},
                 {kIsolate, kGpt2}},
       .default_add_bos = true},
      {.names = {"deepseek-llm"},
       .steps = {{kIsolate, R"([\r\n])"},
                 {kIsolate, kDeepSeekLetters},
                 {kIsolate, kDeepSeekPunctuation},
                 {kIsolate, R"(\s+$)"},
                 {kIsolate, kDeepSeekCjk},
                 {kIsolate, R"(\p{N}+)"}}},
      {.names = {"deepseek-coder"},
       .steps = {{kIsolate, R"([\r\n])"},
                 {kIsolate, R"(\s?\p{L}+)"},
                 {kIsolate, R"(\s?\p{P}+)"},
                 {kIsolate, kDeepSeekCjk},
                 {kIsolate, R"(\p{N})"}}},
      {.names = {"deepseek-v3", "hunyuan-dense", "hy_v4", "joyai-llm"},
       .steps = {{kIsolate, R"(\p{N}{1,3})"}, {kIsolate, kDeepSeekV3Cjk}, {kIsolate, kDeepSeekV3}}},
      {.names = {"spark2_5"},
       .steps = {{kIsolate, R"(\p{N}{1,3})"},
                 {kIsolate, kDeepSeekV3Cjk},
                 {kIsolate, kSpark},
                 {kIsolate, R"(\p{N})"}}},
      {.names = {"afmoe"},
       .steps = {{kGroupDigits, R"(\p{N}+)"}, {kIsolate, kAfmoeScripts}, {kIsolate, kDeepSeekV3}}},
      {.names = {"chatglm-bpe"}, .steps = {{kIsolate, kLlama3}}, .default_bos = false},
  };
}

// Those whose words skip the merges when they are tokens, or that are not byte-level.
std::vector<PreTokenizerProfile> special_profiles() {
  return {
      {.names = {"llama-bpe", "llama3", "llama-v3", "falcon3", "falcon-h1", "pixtral", "midm-2.0",
                 "lfm2", "jina-v5-nano"},
       .steps = {{kIsolate, kLlama3}},
       .ignore_merges = true,
       .default_add_bos = true},
      {.names = {"glm4", "glm5"},
       .steps = {{kIsolate, kLlama3}},
       .ignore_merges = true,
       .default_bos = false},
      {.names = {"tekken"},
       .steps = {{kIsolate, kTekken}},
       .ignore_merges = true,
       .default_add_bos = true},
      {.names = {"granite-embed-multi-97m"}, .steps = {{kIsolate, kGpt4o}}, .ignore_merges = true},
      {.names = {"youtu"},
       .steps = {{kIsolate, kYoutuScripts}, {kIsolate, kYoutuCased}},
       .ignore_merges = true},
      {.names = {"minicpm5"},
       .steps = {{kIsolate, R"(\p{N}{1,3})"}, {kIsolate, kMiniCpm5}},
       .ignore_merges = true},
      {.names = {"gemma4", "granite-embed-multi-311m"},
       .steps = {{kIsolate, kNewlineRuns}},
       .byte_level = false,
       .escape_spaces = true,
       .newline_words = true,
       .default_add_bos = true,
       .force_add_bos = true},
      {.names = {"sarvam-moe"},
       .steps = {{kIsolate, kNewlineRuns}},
       .byte_level = false,
       .escape_spaces = true},
  };
}

}  // namespace

const std::vector<PreTokenizerProfile>& all_pre_tokenizers() {
  static const std::vector<PreTokenizerProfile> table = [] {
    std::vector<PreTokenizerProfile> all = plain_profiles();
    for (PreTokenizerProfile& profile : special_profiles()) all.push_back(std::move(profile));
    return all;
  }();
  return table;
}

const PreTokenizerProfile* find_pre_tokenizer(std::string_view name) {
  for (const PreTokenizerProfile& profile : all_pre_tokenizers()) {
    for (const std::string_view known : profile.names) {
      if (known == name) return &profile;
    }
  }
  return nullptr;
}

std::string known_pre_tokenizers() {
  std::string names;
  for (const PreTokenizerProfile& profile : all_pre_tokenizers()) {
    for (const std::string_view name : profile.names) {
      if (!names.empty()) names += ", ";
      names += name;
    }
  }
  return names;
}

}  // namespace twostroke
