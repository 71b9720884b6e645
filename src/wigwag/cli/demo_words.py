# SPDX-License-Identifier: Apache-2.0
"""What the people of the demo write: a few lines in each one's language, and a picture. Data; no chance and no clock.

Whoever is not named here only comes and goes.
"""
# ruff: noqa: RUF001 - letters of other scripts are meant

import struct
import zlib

LINES = {
    "Amara Okafor": ("Morning! Are we still on for lunch?", "Just landed, see you soon."),
    "Mateo Quispe": ("¿Vienes mañana a la feria?", "Llego en diez minutos."),
    "Sakura Yamada": ("明日の会議は10時からです。", "お疲れさまです！"),
    "Zoë van Dijk": ("Ik ben iets later, sorry!", "De sleutel ligt bij de buren."),
    "Лев Орлов": ("Привет! Как дела?", "Билеты у меня."),
    "Ana Beatriz Rocha": ("Bom dia! Tudo bem por aí?", "Já mandei o endereço."),
    "Ελένη Παππά": ("Καλημέρα! Έρχεσαι το βράδυ;", "Ευχαριστώ πολύ!"),
    "Aylin Kaya": ("Akşam müsait misin?", "Çay hazır."),
    "林 美玲": ("晚上一起吃饭吗？", "我到了，在门口等你。"),
    "Björn Árnason": ("Sástu norðurljósin í gær?", "Ég kem með kaffið."),
    "Dewi Lestari": ("Lampionnya sudah siap.", "Siapa bawa payung?"),
    "Inés Carrasco": ("¿Quién trae las velas?", "Nos vemos en la plaza."),
    "Noor al-Amin": ("مساء الخير، متى نلتقي؟", "أنا في الطريق."),
    "Maëlle Fournier": ("Tu as vu la photo ?", "On se retrouve au pont."),
    "김 하준": ("오늘 야간 근무 바꿔 줄 수 있어요?", "고마워요!"),
    "Aroha Ngata": ("Kia ora! Kei te haere mai koe?", "Ka kite āpōpō."),
}
CAPTION = "Look at this sky!"
EMOJI = ("👍", "❤️", "😂", "🙏", "🔥")


def sunset(width: int = 96, height: int = 64) -> bytes:
    """A PNG of a sky in the evening."""
    rows = b"".join(
        b"\0" + bytes((255 - line, 150 - line * 2, 60 + line * 2)) * width for line in range(height)
    )  # each begins with its filter: none
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)  # 8 bits each of red, green and blue
    parts = (b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in parts
    )
