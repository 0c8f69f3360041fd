"""Counting in an ONNX file: what counts, what is refused, and that damage is told."""

import base64
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest

from mlspring.core.errors import SubmissionError
from mlspring.core.score import State
from mlspring.homeworks.hw13_compression import submission
from mlspring.homeworks.hw13_compression.architecture import Architecture
from mlspring.homeworks.hw13_compression.onnx_file import MAX_BYTES, over_budget, read_network
from mlspring.homeworks.hw13_compression.spec import SPEC
from mlspring.verbs import board
from tests.tiny.compression import CHANNELS
from tests.tiny.onnx_files import (
    DOUBLE,
    EXTERNAL,
    FLOAT,
    FLOAT16,
    INT8,
    INT64,
    NORM,
    NORMED,
    TYPES,
    WEIGHT,
    count_parameters,
    hand_in,
    message,
    model,
    node,
    packed,
    tensor,
    typed,
    varint,
)

SMALL = Architecture(name="plain", channels=CHANNELS).num_parameters
# The small student as torch 2.13 writes it: torch.onnx.export(model, (images,), file, dynamo=False,
# training=TrainingMode.PRESERVE, do_constant_folding=False), batch norms unfolded.
EXPORTED = (
    "c-qC7eNYo;9>>`bn&m-5Silz!4vn?e6ob2~D3IqNf|fQOo?2^d)x#xOAeuMx;!EdR+w16gbf&H2TsvBC1~^)syJD>tt&r!"
    "zp7mw0ol$J9r{~pLOZDj0Ig2l6xq7=n2*f2N|CH=Jo6Ya}?ep?|zMtKBLMJjB&w9VxYpu?BfHShZacaTq2GB+Ujosx5_>C"
    "+`t8lojt9-_(MyuPk#<*6rS5^A~Gca0V7ko@+Zf`JG4(66fr*e0|FSS!XH6vA_R<D-N1_mVB><+<ice{LM%1qT#8p8;XP~"
    "~+8JY%F^DnmLLu}bv1L`S)=TJVVGcyqj*lmgTq!R9l^^&E0Y2Q)sv*KQMgTLQOKAnM5a&CuocI`5xhC@RkoWDJaX11^`{R"
    "aNd31s52rT(?H>GKO&Xa$Rn*;I~%Kldc4Z{n^m8`vwz3E*nEGmofe)bM?&qF-c*K=<(SdZddv{M<&gvr6_5&Xs6pLy8HoW"
    "dSzv0ksM0{BmG{%-lK-wCWclGECsR5d~`T>q38&NoueICp;yaiaE=0l-O;zAtfFUGCC{=^J<ATGXW3|;WfeWkDtMNS;#oF"
    "|XW1A$%f{eYHU`hK!{S*s2G6pCd6w<(*}8t7jktqJ$t@Gs&3C&U;YR4*kY01|Lb6JtRkS;L1{^2bOv#9m)>D~PKW)99B=9"
    "K(?jK5@-#A60I3=REs6=tYNE8>1C{B?mPJt*c3Q=4XqPQ4{;$k3*i-9O^Scu|cAc`A|D6T(IZ}lT8;tnRY&&F)H84wQsoK"
    "&5mfYNaKT*oVN#Vc{eN9BqiMy~j1T=9xr@d{k=QMlrxaK*>K6(0jvd<<Oi!@?CG16TZDT=9c(#Sh9Ar^FTab8=P2FtXo#e"
    "!=Ar4<@lMrl)(a40@2TMsNf~!zfy%(^zz>xSmh^z3*B|4eUT^azLRECQVYs7O;wCl0CycC-sZ!LHOE`4Cqy&=&{+IzK{~&"
    "1qvuO0g|l_!RNDAuJ2`KWM3fkAW%)ulNPNvmRl-1oqDx=mikB#9G+?+JudErka4s?T_O6zzej=xBqO<e#UTeVz$uxkyvi$"
    "hstrF-w2F?G4;@vkxaYH+rCvT4Y(C;T4Ht2Ga$b`{KK|ql{E_ekTzq+bOSd@_eSYQTpzHPdaB_hQ@3@|UyJwro<(E_>etk"
    "XOzx`@q;;A>`h3CG7m$oI4OLc$6OCEj|9%-0>rWEM0c3mpcXZ;u~X@A>v-NT{!lX>LZ?Aus)trTyr--drb+knomyNhSJoA"
    "ATC6UpQ)Gs*v$4s5TSj55D?7iMZ&;r7!LO=3zL&R?DYUyYkdriogzed-BpY`hJvqrZWRKHiPHYrbm9OYMfcu9l#2&K)rQh"
    "fhrgy<`chSYcCZp-+rgqvn(=*zjN|M{%=gp=E{Ta$ie*k2g7|=VLI0a-wV|E%Y4w6Q<)k^Mi)Tq1?eYmlj%nO31~qPhLV*"
    "#1anJ0$E<8%-`^E)3`#i?6FCtWch#bp_S+0!tsBD@V1sr{A>&S`vx`I-SmC1#+z!&-&+pbTGEmIP!)oA^U0}>J-B8+hD-0"
    "1qWSbf6nAS8YSWwHfiD-3yxR9n7k(T?HeOpnvb>8?^2Qm6J?tSJ`=-I%KkM<<FMf&Nzx5A%q3$5eyP+j#Z|s2!vbtb|U~G"
    "Ts3y$X?@%i^*g!Jr?q-Td9J*y=B2l+LoXGEPTLV7l4>A48$_kQUj4O=qF<C_0KHpK#um72)jJAia)t>|Q(9_2pUj-TxI;*"
    "?I29B8j;>H2Uw`9n?tId^PPa7UL8Chs|dx6VjLD=so*Q`}NiQZ*6n-#nMFk9ly7*=TAyKLXNsZ168G3_n;<WtzFU6O)yfp"
    "=whV$<`*5K;vp0n9zxD{&N>@X`e$P1mpTk-?^*|m;Pp6r1ad7r00epJ*Oo7VoO6y{+PE4Bc$hImY$E0{-7y~G#VcbUO$?H"
    "Ha>qeIBDmZLiN_SgI6j_;Pka)k+s%_PCPmml|3Y)vklTi?9>wS;@Qi%`Kbp{{G8*>*S@=k+q-6x<rf9AscA0ppDw`{m#NX"
    "1=TvCc(P}d7l~JhSf{Cok_!X{iK8*Pr`FQm!5Lf<j2}!D)Po^-V@ruKxg)1LFkH0(96zO`tzx1u9r^%FG|1KCIJwGJr`5{"
    "QpD@i}4tudIp;be1!^n5hwSJO$M<j6OcWr?26E}HhvR+6x0Lebc)m(bVCCbYhh{5AU5FLvV3{!~ZaJESY>C}mnZY;Qtg+i"
    "0?DHdSQFwxEY@Hlj=WH=udhMxrhqLk{Gmw@!TIBed^ea#8VtTgWhrPLett_(rtkd{TawwC7N;KJPB+oO_IzZ?=<3zO`sM`"
    "JDXw!`}vr-~Hb7)rzY~dxma(W_;g&o6IPXMpKLqNCuKhyi~@?r6LVTFIh$lMo6{vz1pN=l`if7zcV9@"
)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ((WEIGHT,), 108),
        ((WEIGHT, (5, tensor("b", (4,), FLOAT16)), (5, tensor("s", (), DOUBLE))), 113),
        ((WEIGHT, (5, tensor("q", (50,), INT8)), (5, tensor("shape", (2,), INT64))), 160),
        ((WEIGHT, (5, message((1, varint(2) + varint(3)), (2, INT8), (9, bytes(6))))), 114),
        ((WEIGHT, WEIGHT), 216),  # of one name: which one is read is not asked
        (((1, node("Constant", "", message((1, "value"), (5, tensor("", (9,)))))),), 9),
        ((WEIGHT, (1, node("Conv", "x w", message((1, "strides"), (8, 2), (8, 2))))), 108),
        ((WEIGHT, (1, node("Scale", "x", message((1, "scales"), (7, bytes(40)))))), 118),
        ((*NORMED, (1, NORM)), 14),
        ((*NORMED, (1, NORM), (1, node("Add", "x mean"))), 21),
        ((*NORMED, (1, node("BatchNormalization", "x scale bias mean var", domain="my"))), 28),
        (NORMED, 28),
    ],
)
def test_every_stored_number_counts_except_statistics(
    fields: tuple[tuple[int, bytes], ...], expected: int
) -> None:
    assert count_parameters(model(*fields)) == expected


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ((), "holds no weights"),
        (((5, tensor("w", (2,), FLOAT, EXTERNAL)),), "w lies in another file"),
        (((5, message((1, 2), (2, 1), (8, "w"), (9, bytes(4000)))),), r"4,000 bytes, .*\(2,\)"),
        (((5, message((1, 2), (2, 22), (8, "w"), (9, bytes(1)))),), r"a data type .* \(22\)"),
        (((5, message((2, 3), (8, "w"), *[(1, 1)] * 9, (9, bytes(1)))),), "has 9 dimensions"),
        (((5, tensor("w", (2,), FLOAT, (9, bytes(8)))),), "w stores its values in more than one"),
        (((5, tensor("w", (2,), FLOAT, (4, bytes(8)))),), "w stores its values in more than one"),
        (((5, tensor("w", (2,), FLOAT, (3, 1))),), "w stores its values in more than one"),
        (((5, typed((2,), FLOAT, (7, packed(1, 2)))),), "or in an unusual one"),
        (((5, typed((2,), FLOAT, (6, b"a"), (6, b"b"))),), "or in an unusual one"),
        (((5, typed((2,), 8, (6, b"a"), (6, b"b"))),), r"a data type that is not read here \(8\)"),
        (((5, typed((3,), FLOAT, (4, 1.0), (4, 2.0))),), r"2 values, 8 bytes, .* \(3,\)"),
        (((5, typed((3,), INT64, (7, packed(1, 2, 3, 4)))),), r"4 values, 32 bytes, .* \(3,\)"),
        (((5, typed((1,), FLOAT, (4, bytes(5)))),), "5 bytes, which end within a value"),
        (((5, typed((1,), FLOAT, (9, bytes(5)))),), "5 bytes, which end within a value"),
        ((WEIGHT, (5, typed((3, 5, 7, 0), FLOAT))), r"shape \(3, 5, 7, 0\), which holds nothing"),
        (((15, b""), WEIGHT), "sparse tensors"),
        (((1, node("If", "x", message((1, "then"), (6, b"")))), WEIGHT), "sub-graphs"),
        (((1, node("X", "x", message((1, "a"), (22, b"")))), WEIGHT), "sparse"),
        (((5, 3),), "cannot be read as ONNX"),
    ],
)
def test_what_could_hide_weights_is_refused(
    fields: tuple[tuple[int, bytes], ...], reason: str
) -> None:
    with pytest.raises(ValueError, match=reason):
        count_parameters(model(*fields))


@pytest.mark.parametrize("number", [20, 25])
def test_functions_and_training_information_are_refused(number: int) -> None:
    with pytest.raises(ValueError, match="holds functions"):
        count_parameters(model(WEIGHT, more=((number, b""),)))


@pytest.mark.parametrize("kind", [FLOAT, FLOAT16, DOUBLE])
@pytest.mark.parametrize("value", [np.nan, -np.inf])
def test_weights_must_be_finite(kind: int, value: float) -> None:
    raw = np.array([1, value], TYPES[kind]).tobytes()
    with pytest.raises(ValueError, match="w holds values that are NaN"):
        count_parameters(model((5, message((1, 2), (2, kind), (8, "w"), (9, raw)))))


def test_a_file_cut_anywhere_is_told() -> None:
    whole = model(WEIGHT, (1, NORM), *NORMED)
    for length in range(len(whole)):
        with pytest.raises(ValueError, match="cannot be read as ONNX"):
            count_parameters(whole[:length])


@pytest.mark.parametrize("content", [b"\x0b", b"\xff" * 30, b"\x80\x04\x95pickle", b"PK\x03\x04"])
def test_other_files_are_no_onnx(content: bytes) -> None:
    with pytest.raises(ValueError, match="cannot be read as ONNX"):
        count_parameters(content)


def test_random_damage_ends_in_a_count_or_a_reason() -> None:
    whole = np.frombuffer(model(WEIGHT, (1, NORM), *NORMED), np.uint8)
    random = np.random.default_rng(0)
    for _ in range(2000):
        damaged = whole.copy()
        places = random.integers(len(whole), size=3)
        damaged[places] = random.integers(256, size=3)
        try:
            assert count_parameters(damaged.tobytes()) > 0
        except ValueError as reason:
            assert str(reason)


def test_a_large_file_is_not_looked_into() -> None:
    with pytest.raises(ValueError, match="at most 2,000,000 are read"):
        count_parameters(bytes(MAX_BYTES + 1))


def test_a_file_of_torch_has_its_network_s_parameters() -> None:
    content = zlib.decompress(base64.b85decode(EXPORTED))
    axes_of_the_mean = 2
    assert count_parameters(content) == SMALL + axes_of_the_mean
    assert over_budget([read_network(content)]) is None


def test_onnx_files_are_handed_in_and_their_parameters_added_up(tmp_path: Path) -> None:
    half = model((5, tensor("w", (500, 100))))
    found = submission.read(hand_in(tmp_path, a=half, b=half), ["0000"])
    assert found.num_parameters == 100_000
    with pytest.raises(SubmissionError, match="has 100,108 parameters in 3 networks"):
        submission.read(hand_in(tmp_path, a=half, b=half, c=model(WEIGHT)), ["0000"])


def test_a_network_of_one_s_own_goes_to_the_board_as_onnx(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = tmp_path / "answers.csv"
    answers.write_text("Id,Category,Usage\n0000,3,Public\n0001,4,Private\n")
    monkeypatch.setattr(board.sources, "world_answers", lambda _: answers)
    exported = zlib.decompress(base64.b85decode(EXPORTED))
    table = "0000,3\n0001,5\n"
    path = hand_in(tmp_path, table, student=exported)
    scored = board.score(SPEC, path, None)
    assert (scored["public"], scored["private"]) == (1.0, 0.0)
    assert scored["details"] == {"parameters": count_parameters(exported)}
    receipt = board.submit(SPEC, path, "me", rules="self-study", final=False, address=None)
    assert (receipt.state, receipt.public) == (State.SCORED, 1.0)
    large = hand_in(tmp_path, table, student=model((5, tensor("w", (100_001,)))))
    receipt = board.submit(SPEC, large, "me", rules="self-study", final=False, address=None)
    assert receipt.state == State.REJECTED
    assert "has 100,001 parameters in 1 network" in (receipt.message or "")


def test_a_bad_onnx_file_is_named_inside_the_archive(tmp_path: Path) -> None:
    path = hand_in(tmp_path, student=model())
    with pytest.raises(SubmissionError, match=r"student\.onnx: holds no weights") as raised:
        submission.read(path, ["0000"])
    assert str(path) in str(raised.value)


def test_an_operator_that_nobody_could_run_is_counted_like_any_other(tmp_path: Path) -> None:
    """The file is read as bytes: no runtime looks for the operator, none is even loaded."""
    code = node("PyOp", "w", message((1, "code"), (4, b"raise SystemExit")), domain="my.code")
    path = hand_in(tmp_path, student=model((5, tensor("w", (50, 100))), (1, code)))
    program = (
        "import sys; from pathlib import Path;"
        "from mlspring.homeworks.hw13_compression.submission import read;"
        f"print(read(Path({str(path)!r}), ['0000']).num_parameters);"
        "print(sorted({m.split('.')[0] for m in sys.modules} & {'torch', 'onnx', 'onnxruntime'}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    count, loaded = done.stdout.splitlines()
    assert 5000 <= int(count) <= 5000 + len(b"raise SystemExit")
    assert loaded == "[]"
