"""Varied strings from a seed: what tokenizers get wrong. Deterministic for one seed and one Python version.

Code points are those that Python's Unicode tables know, and none above Unicode 14: newer letters are letters in some
implementations only, so they would compare table versions, not tokenizers.
"""

import random
import unicodedata

WORDS = """the of and to in is that for it as was with be by on not he his but at are this have from or had an they
which one you were her all she there would their we him been has when who will more no if out so said what up its
about into than them can only other new some could time these two may then do first any my now such like our over man
me even most made after also did many before must through back years where much your way well down should because
each just those people Mr how too little state good very make world still own see men work long get here between
both life being under never day same another know while last might us great old year off come since against go came
right used take three I'm you're they'll we've he'd don't it's O'Neil's DON'T IT'S We'Ve Hello World tokenization
antidisestablishmentarianism""".split()
CODE = ["def f(x):", "    return x", "\tif (a != b) {", "}", "for (int i = 0; i < n; ++i)", "// TODO: fix",
        "/* c */", "std::vector<std::string>", "#include <stdio.h>", "lambda: None", "a->b", "x += 1;", "!==", "=>",
        "&&", "||", "'''", '"""', "0x7fFF", "1e-9", "3.14159", "1_000_000", "foo_bar", "fooBarBaz", "HTTPServer",
        "<div class=\"a\">", "</div>", "$PATH", "%s", "\\n", "\\\\", "https://example.com/a?b=c&d=%20#e",
        "SELECT * FROM t WHERE a='b';", "{\"key\": [1, 2, null]}", "@decorator", "...", "--", "~/", "`code`"]
OTHER = ["Привет, мир! Съешь ещё этих мягких булок", "Γειά σου Κόσμε", "שלום עולם", "مرحبا بالعالم", "नमस्ते दुनिया",
         "สวัสดีชาวโลก", "你好，世界！今天天气很好。", "こんにちは世界。カタカナ ひらがな", "안녕하세요 세계", "Xin chào thế giới",
         "ὦ ἄνδρες Ἀθηναῖοι", "Țară și mâță", "Straße Größe ÄÖÜ", "ﬁﬂ ﬆ", "Ⅷ ½ ² ³ ₄ ① ㊿", "١٢٣٤٥", "१२३", "〇一二三",
         "ſ K Å µ", "Ǆ ǅ ǆ", "ʻOkina", "ᏣᎳᎩ", "ქართული", "հայերեն", "አማርኛ", "ខ្មែរ", "မြန်မာ", "བོད་", "⺀⼀𠀀𪜶",
         "！？：；（）", "「」『』", "–—‘’“”…", "№ § ¶ © ® ™ € £ ¥ ₿", "→ ⇒ ∀ ∃ ∑ √ ∞ ≠"]
EMOJI = ["😀", "👍🏽", "👨‍👩‍👧‍👦", "🏳️‍🌈", "🇩🇪🇫🇷", "❤️", "☕", "🧑🏿‍🚀", "1️⃣", "🤷‍♂️", "👩‍❤️‍💋‍👨", "🏴󠁧󠁢󠁥󠁮󠁧󠁿"]
SPACES = [" ", "  ", "   ", "    ", "\t", "\t\t", "\n", "\n\n", "\n\n\n", "\r\n", "\r", " \n ", "\n \n", "\u00a0",
          "\u2003", "\u3000", "\u2028", "\u2029", "\u0085", "\u200b", "\u180e", "\u202f", "\ufeff", "\x0b", "\x0c"]
MARKS = ["\u0301", "\u0308", "\u0323", "\u20dd", "\u0e31", "\u093f", "\u064b", "\u05b0", "\u3099", "\ufe0f"]
BROKEN = [b"\x80", b"\xff", b"\xc0\x80", b"\xe2\x82", b"\xf0\x9f\x98", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xc3",
          b"\xfe\xff", b"\xe2\x28\xa1", b"\xf8\x88\x80\x80\x80"]


def _is_known(code_point):
    return unicodedata.category(chr(code_point)) not in ("Cn", "Cs")


class VariedText:
    def __init__(self, seed):
        self.random = random.Random(seed)

    def any_character(self):
        while True:
            top = self.random.choice([0x80, 0x250, 0x800, 0x3100, 0x10000, 0x20000, 0x110000])
            code_point = self.random.randrange(top)
            if _is_known(code_point):
                return chr(code_point)

    def repeated(self):
        return self.random.choice([" ", "\n", "\t", "a", "A", "1", ".", "-", "=", "あ", "é", "😀", "\r\n", " a", "▁",
                                   "ab", "_", "\u0301"]) * self.random.randint(1, 70)

    def number(self):
        return str(self.random.randrange(10 ** self.random.randint(1, 25)))

    def fragment(self):
        pick = self.random.random()
        choice = self.random.choice
        if pick < 0.30:
            word = choice(WORDS)
            return choice([word, word, " " + word, " " + word, word.upper(), word.capitalize(), word + ","])
        if pick < 0.42:
            return choice(CODE)
        if pick < 0.55:
            text = choice(OTHER)
            begin = self.random.randrange(len(text))
            return text[begin:begin + self.random.randint(1, 12)]
        if pick < 0.62:
            return choice(EMOJI)
        if pick < 0.76:
            return choice(SPACES)
        if pick < 0.82:
            return choice(WORDS)[:3] + "".join(choice(MARKS) for _ in range(self.random.randint(1, 3)))
        if pick < 0.87:
            return "".join(self.any_character() for _ in range(self.random.randint(1, 6)))
        if pick < 0.91:
            return self.repeated()
        if pick < 0.95:
            return self.number()
        if pick < 0.98:
            return "".join(chr(self.random.randrange(32, 127)) for _ in range(self.random.randint(1, 12)))
        return chr(choice([0, 1, 7, 8, 27, 127, 0x9f, 0xad, 0x200d, 0xfffd, 0xe000, 0x10fffd]))

    def text(self):
        return "".join(self.fragment() for _ in range(self.random.randint(1, 14)))

    def malformed(self):
        """Bytes, most of which are text."""
        data = self.text().encode()
        for _ in range(self.random.randint(1, 4)):
            at = self.random.randint(0, len(data))
            broken = self.random.choice(BROKEN)
            data = data[:at] + broken + data[at + self.random.randint(0, 1):]
        return data

    def with_specials(self, specials):
        parts = []
        for _ in range(self.random.randint(1, 5)):
            parts.append(self.text() if self.random.random() < 0.6 else "")
            parts.append(self.random.choice(specials))
        return "".join(parts)
