#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use proptest::prelude::*;

use super::*;

const GGA: &[u8] = b"$GPGGA,123519,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,*47\r\n";

fn checked(data: &str) -> Vec<u8> {
    format!("${data}*{:02X}\r\n", data.bytes().fold(0, |s, b| s ^ b)).into_bytes()
}

fn ubx(class: u8, id: u8, payload: &[u8]) -> Vec<u8> {
    let mut message = vec![0xb5, 0x62, class, id];
    message.extend(u16::try_from(payload.len()).unwrap().to_le_bytes());
    message.extend(payload);
    let sum = ubx_checksum(&message[2..]);
    message.extend(sum);
    message
}

fn heard(bytes: &[u8]) -> Listener {
    let mut listener = Listener::new();
    listener.hear(bytes);
    listener
}

#[test]
fn a_sentence_is_recognised_by_its_checksum() {
    let listener = heard(GGA);
    assert_eq!((listener.protocol(), listener.fix()), (Some(GpsProtocol::Nmea), Some(Fix::ThreeD)));
    assert!(!listener.fix_is_final(), "GSA may say otherwise");
    let mut wrong = GGA.to_vec();
    wrong[20] ^= 1;
    assert_eq!(heard(&wrong).protocol(), None);
}

#[test]
fn the_sentence_about_satellites_knows_the_dimensions_better_than_the_number_of_satellites_does() {
    let gsa = checked("GPGSA,A,2,04,05,,09,12,,,24,,,,,2.5,1.3,2.1");
    for order in [[GGA, gsa.as_slice()].concat(), [gsa.as_slice(), GGA].concat()] {
        let listener = heard(&order);
        assert_eq!(listener.fix(), Some(Fix::TwoD));
        assert!(!listener.fix_is_final(), "another satellite system may say better");
    }
}

/// The best of the satellite systems counts, in whatever order they are said and by whatever names.
#[test]
fn a_system_without_satellites_does_not_take_back_the_fix_that_others_give() {
    let empty = ["GNGSA,A,1,,,,,,,,,,,,,99.99,99.99,99.99,2", "GLGSA,A,1,,,,,,,,,,,,,,,", "GBGSA,A,1,,,,,,,,,,,,,,,"];
    let full = ["GNGSA,A,3,01,02,03,04,05,06,07,08,,,,,1.5,0.9,1.2,1", "GAGSA,A,3,04,05,,09,12,,,24,,,,,2.5,1.3,2.1"];
    for full in full.map(checked) {
        for empty in empty.map(checked) {
            for order in [[&full, &empty], [&empty, &full]] {
                let gsa = order.map(Vec::as_slice).concat();
                for burst in [gsa.clone(), [GGA, gsa.as_slice()].concat(), [gsa.as_slice(), GGA].concat()] {
                    let listener = heard(&burst);
                    assert_eq!((listener.fix(), listener.fix_is_final()), (Some(Fix::ThreeD), true));
                }
            }
        }
    }
    let listener = heard(&checked(empty[0]));
    assert_eq!((listener.fix(), listener.fix_is_final()), (Some(Fix::None), false), "the others were not heard yet");
    assert_eq!(heard(&[GGA, &checked(empty[0])].concat()).fix(), Some(Fix::ThreeD), "there is a position");
}

#[test]
fn that_there_is_no_position_is_a_final_word_of_all_systems_together() {
    let none = checked("GPGGA,123519,,,,,0,00,,,M,,M,,");
    let listener = heard(&none);
    assert_eq!((listener.fix(), listener.fix_is_final()), (Some(Fix::None), true));
    let listener = heard(&[checked("GPGSA,A,3,04,05,,09,12,,,24,,,,,2.5,1.3,2.1"), none].concat());
    assert_eq!(listener.fix(), Some(Fix::None), "it was lost since");
}

#[test]
fn sentences_of_other_makers_are_recognised_too() {
    assert_eq!(heard(&checked("PUBX,00,081350.00,4717.1")).protocol(), Some(GpsProtocol::Nmea));
    assert_eq!(heard(b"$*00\r\n").protocol(), None);
}

#[test]
fn binary_messages_are_recognised_by_their_checksum() {
    let mut payload = [0u8; 92];
    payload[FIX_TYPE_OFFSET] = 3;
    assert_eq!(heard(&ubx(1, 7, &payload)).fix(), Some(Fix::None), "the receiver does not stand by it");
    payload[FIX_TYPE_OFFSET + 1] = FIX_OK;
    let listener = heard(&ubx(1, 7, &payload));
    assert_eq!((listener.protocol(), listener.fix()), (Some(GpsProtocol::Ubx), Some(Fix::ThreeD)));
    let mut wrong = ubx(1, 7, &payload);
    wrong[30] ^= 1;
    assert_eq!(heard(&wrong).protocol(), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn noise_is_never_too_strange_and_never_kept(chunks in proptest::collection::vec(
        prop_oneof![
            proptest::collection::vec(any::<u8>(), 0..600),
            Just(b"$GPGGA,".to_vec()), Just(vec![0xb5, 0x62]), Just(vec![b'$'; 600]), Just(b"*47\r\n".to_vec()),
        ], 0..12)) {
        let mut listener = Listener::new();
        for chunk in chunks {
            listener.hear(&chunk);
            prop_assert!(listener.buffer.len() <= UBX_BYTES);
        }
    }

    /// Whatever came before, as long as it is not the beginning of something long.
    #[test]
    fn a_sentence_is_found_after_noise(
        noise in proptest::collection::vec(any::<u8>().prop_filter("no UBX", |b| *b != 0xb5), 0..300),
        cut in 0usize..60,
    ) {
        let mut listener = Listener::new();
        listener.hear(&noise);
        listener.hear(b"\n");
        listener.hear(&GGA[cut..]);
        listener.hear(GGA);
        prop_assert_eq!(listener.protocol(), Some(GpsProtocol::Nmea));
    }

    #[test]
    fn it_does_not_matter_how_the_bytes_are_cut(size in 1usize..90) {
        let stream = [GGA, &ubx(1, 2, &[1, 2, 3]), GGA].concat();
        let mut listener = Listener::new();
        stream.chunks(size).for_each(|chunk| listener.hear(chunk));
        prop_assert_eq!(listener.fix(), Some(Fix::ThreeD));
        prop_assert!(listener.buffer.is_empty());
    }
}
