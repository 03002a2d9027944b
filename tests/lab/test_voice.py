"""Tones are told from each other, from silence and from speech."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab import rtp
from lab.asterisk import MUSIC_HZ
from lab.phone import AGENT_HZ, CUSTOMER_HZ

TONES = (MUSIC_HZ, CUSTOMER_HZ, AGENT_HZ)


def sound(hz: int, packets: int = 10) -> bytes:
    return b"".join(rtp.tone(hz)[at % 10] for at in range(packets))


@given(st.integers(-32635, 32635))
def test_mu_law_is_near_what_was_said(sample: int) -> None:
    assert rtp.decode(rtp.encode(sample)) == pytest.approx(sample, rel=0.045, abs=8)


@given(st.integers(0, 255))
def test_mu_law_survives_a_round_trip(byte: int) -> None:
    negative_zero = 0x7F
    assert rtp.encode(rtp.decode(byte)) == (0xFF if byte == negative_zero else byte)


@pytest.mark.parametrize("hz", TONES)
@pytest.mark.parametrize("other", TONES)
def test_a_tone_is_heard_and_no_other(hz: int, other: int) -> None:
    assert rtp.contains(sound(hz), other) == (hz == other)


def test_a_tone_must_last_a_tenth_of_a_second() -> None:
    assert rtp.contains(rtp.SILENCE + sound(440, 5), 440)
    assert not rtp.contains(rtp.SILENCE + sound(440, 4), 440)


@pytest.mark.parametrize("hz", TONES)
def test_noise_and_silence_are_no_tone(hz: int) -> None:
    noise = hashlib.shake_128(b"noise").digest(50 * rtp.SAMPLES)
    assert not rtp.contains(noise, hz)
    assert not rtp.contains(rtp.SILENCE * 50, hz)


@pytest.mark.parametrize("hz", TONES)
def test_an_open_line_is_faint_and_no_tone(hz: int) -> None:
    sound = b"".join(rtp.noise())
    assert not rtp.contains(sound, hz)
    assert 0 < max(abs(rtp.decode(byte)) for byte in sound) < 100


def test_a_tone_under_which_another_sounds_is_not_pure() -> None:
    both = (rtp.decode(one) + rtp.decode(two) for one, two in zip(sound(440), sound(620), strict=True))
    assert not rtp.contains(bytes(rtp.encode(sample) for sample in both), 440)


def test_an_ear_keeps_the_last_ten_seconds_also_when_closed() -> None:
    received = rtp.Received()
    for packet in [*rtp.tone(440), *[rtp.SILENCE] * 490]:
        received.hear(packet)
    assert rtp.contains(received.sound(), 440)
    received.hear(rtp.SILENCE)
    kept = received.sound()
    received.close()
    assert received.sound() == kept
    assert len(kept) == 500 * rtp.SAMPLES
    assert received.packets == 501
