"""The speech synthesiser espeak-ng as a program of its own, which ``synthesis`` starts.

This file imports nothing of the project and is run by its path. Input: a line of JSON an utterance,
``{"text", "voice", "rate", "pitch", "range"}``. Output: a line of JSON, ``{"samples", "events"}``,
then the samples, little-endian int16. An event is ``[sample, name of the phone]``: the phone starts
there. First of all comes one line ``{"sample_rate"}``. The program ends with its input.
"""

import ctypes
import json
import os
import sys
from typing import Any

SYNCHRONOUS, PHONE_EVENTS, NO_EXIT = 2, 1, 0x8000  # of espeak_Initialize
RATE, PITCH, RANGE = 1, 3, 4  # of espeak_SetParameter
POSITION_CHARACTER, UTF8 = 1, 1  # of espeak_Synth
PHONE = 7  # type of an event
SEED = 1  # of the breath noise, which is seeded by the time otherwise


class Id(ctypes.Union):
    """What an event is about; for a phone its name."""

    _fields_ = (("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8))


class Event(ctypes.Structure):
    """espeak_EVENT of speak_lib.h."""

    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", Id),
    )


Callback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(Event)
)


def load() -> tuple[ctypes.CDLL, int]:
    """Return the library, ready, and its sample rate."""
    import espeakng_loader

    library = ctypes.CDLL(str(espeakng_loader.get_library_path()))
    # The library cuts the path of its data at 160 bytes, so it gets a short one.
    data = str(espeakng_loader.get_data_path())
    os.chdir(os.path.dirname(data))  # noqa: PTH120 (pathlib would make the start slower)
    name = os.path.basename(data)  # noqa: PTH119
    rate = library.espeak_Initialize(SYNCHRONOUS, 0, name.encode(), PHONE_EVENTS | NO_EXIT)
    if rate <= 0:
        raise RuntimeError(f"espeak-ng finds no data in {data}")
    library.espeak_ng_SetRandSeed.argtypes = [ctypes.c_long]
    library.espeak_ng_SetRandSeed(SEED)
    return library, rate


def serve() -> None:
    """Answer requests until the input ends."""
    pieces: list[bytes] = []
    events: list[tuple[int, str]] = []

    def collect(samples: Any, count: int, event: Any) -> int:
        if count > 0 and samples:
            pieces.append(ctypes.string_at(samples, 2 * count))
        index = 0
        while event[index].type:
            if event[index].type == PHONE:
                name = event[index].id.string.decode("utf-8", "replace")
                events.append((event[index].sample, name))
            index += 1
        return 0

    library, rate = load()
    callback = Callback(collect)  # kept here: the library holds no reference
    library.espeak_SetSynthCallback(callback)
    out = sys.stdout.buffer
    out.write(json.dumps({"sample_rate": rate}).encode() + b"\n")
    out.flush()
    for line in sys.stdin.buffer:
        request = json.loads(line)
        if library.espeak_SetVoiceByName(request["voice"].encode()) != 0:
            raise RuntimeError(f"espeak-ng knows no voice {request['voice']}")
        for number, key in ((RATE, "rate"), (PITCH, "pitch"), (RANGE, "range")):
            library.espeak_SetParameter(number, request[key], 0)
        pieces.clear()
        events.clear()
        text = request["text"].encode()
        library.espeak_Synth(text, len(text) + 1, 0, POSITION_CHARACTER, 0, UTF8, None, None)
        library.espeak_Synchronize()
        sound = b"".join(pieces)
        header = {"samples": len(sound) // 2, "events": events}
        out.write(json.dumps(header).encode() + b"\n" + sound)
        out.flush()


if __name__ == "__main__":
    serve()
