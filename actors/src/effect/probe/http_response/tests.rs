//! Responses from good, odd and hostile servers, cut into pieces in every way.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use proptest::prelude::*;

use super::*;

/// Feeds a whole response in pieces of a size; the server then closes the connection.
fn answer(response: &[u8], piece: usize) -> Result<(String, Vec<u8>), BadResponse> {
    let mut pieces = response.chunks(piece);
    let mut reader = HeadReader::default();
    let (head, rest) = loop {
        if let Some(done) = reader.push(pieces.next().ok_or(BadResponse::CutShort)?)? {
            break done;
        }
    };
    let mut body = BodyReader::new(head.framing)?;
    let mut more = body.push(&rest)?;
    while more == More::Needed {
        match pieces.next() {
            Some(piece) => more = body.push(piece)?,
            None => break,
        }
    }
    Ok((head.status.to_string(), body.finish()?))
}

fn good(response: &str) -> (String, String) {
    let whole = answer(response.as_bytes(), usize::MAX).unwrap();
    for piece in 1..8 {
        assert_eq!(answer(response.as_bytes(), piece), Ok(whole.clone()), "in pieces of {piece}");
    }
    (whole.0, String::from_utf8(whole.1).unwrap())
}

fn bad(response: &str) -> BadResponse {
    let fault = answer(response.as_bytes(), usize::MAX).unwrap_err();
    assert_eq!(answer(response.as_bytes(), 3), Err(fault));
    fault
}

#[test]
fn a_body_of_known_length_ends_there() {
    let (status, body) = good("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello and more");
    assert_eq!((status.as_str(), body.as_str()), ("200 OK", "hello"));
}

#[test]
fn a_body_without_length_ends_with_the_connection() {
    assert_eq!(good("HTTP/1.0 200\n\nhello").1, "hello");
}

#[test]
fn chunks_are_put_together() {
    let response = "HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, CHUNKED\r\n\r\n\
                    5\r\nhello\r\nA;name=value\r\n, 0123456\n\r\n0\r\nTrailer: x\r\n\r\nnot this";
    assert_eq!(good(response).1, "hello, 0123456\n");
}

#[test]
fn an_interim_answer_is_passed_over() {
    assert_eq!(good("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n").0, "204 No Content");
}

#[test]
fn chunked_wins_over_a_length() {
    let response = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n";
    assert_eq!(good(response).1, "a");
}

#[test]
fn other_protocols_are_noticed_at_their_first_bytes() {
    assert_eq!(bad("SSH-2.0-OpenSSH_9.2\r\n"), BadResponse::NotHttp);
    assert_eq!(bad("HTTP/1.1 yes\r\n\r\n"), BadResponse::NotHttp);
    assert_eq!(bad("HTTP/1.1 20 OK\r\n\r\n"), BadResponse::NotHttp);
    assert_eq!(HeadReader::default().push(b"220 mail"), Err(BadResponse::NotHttp));
}

#[test]
fn a_length_that_makes_no_sense_is_refused() {
    for length in ["-1", "five", "99999999999999999999999"] {
        assert_eq!(bad(&format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n")), BadResponse::BadLength);
    }
    for chunk in ["x", "", "-1", "+1", "fffffffffffffffff", "1\r\naXX"] {
        let response = format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{chunk}\r\n");
        assert_eq!(bad(&response), BadResponse::BadLength, "{chunk}");
    }
}

#[test]
fn an_answer_that_stops_in_the_middle_is_not_whole() {
    assert_eq!(bad("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello"), BadResponse::CutShort);
    assert_eq!(bad("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"), BadResponse::CutShort);
}

#[test]
fn endless_heads_and_bodies_are_given_up() {
    let endless = "HTTP/1.1 200 OK\r\n".to_owned() + &"X-More: and more\r\n".repeat(HEAD_LIMIT / 8);
    assert_eq!(bad(&endless), BadResponse::HeadTooLong);
    let interim = "HTTP/1.1 100 Continue\r\n\r\n".repeat(HEAD_LIMIT / 8);
    assert_eq!(bad(&interim), BadResponse::HeadTooLong);
    let body = "x".repeat(BODY_LIMIT + 1);
    assert_eq!(bad(&format!("HTTP/1.1 200 OK\r\n\r\n{body}")), BadResponse::BodyTooLong);
    let announced = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", BODY_LIMIT + 1);
    assert_eq!(bad(&announced), BadResponse::BodyTooLong);
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    let many = ("1000\r\n".to_owned() + &"x".repeat(0x1000) + "\r\n").repeat(BODY_LIMIT / 0x1000 + 1);
    assert_eq!(bad(&format!("{chunked}{many}")), BadResponse::BodyTooLong);
    assert_eq!(bad(&format!("{chunked}1;{}", "x".repeat(CHUNK_LINE_LIMIT))), BadResponse::BadLength);
    assert_eq!(bad(&format!("{chunked}0\r\n{}", "a: b\r\n".repeat(CHUNK_LINE_LIMIT))), BadResponse::HeadTooLong);
}

#[test]
fn a_phrase_cannot_write_to_the_terminal() {
    assert_eq!(good("HTTP/1.1 500 \x1b[2Jgone\r\nContent-Length: 0\r\n\r\n").0, "500 ?[2Jgone");
}

proptest! {
    #[test]
    fn no_bytes_can_crash_the_readers_or_grow_them(
        head in "(HTTP/1\\.1 [0-9]{3} [a-z]{0,5}\r\n)?((Content-Length|Transfer-Encoding): ([0-9]{1,6}|chunked)\r\n){0,2}(\r\n)?",
        rest in prop::collection::vec(any::<u8>(), 0..400),
        piece in 1_usize..50,
    ) {
        let response = [head.as_bytes(), &rest].concat();
        if let Ok((_, body)) = answer(&response, piece) {
            prop_assert!(body.len() <= BODY_LIMIT);
        }
    }

    #[test]
    fn chunk_lines_of_any_form_are_survived(chunks in "([0-9a-fA-F]{0,3}[;\r\n a]{0,3}){0,30}", piece in 1_usize..9) {
        let response = format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}");
        let _ = answer(response.as_bytes(), piece);
    }

    #[test]
    fn what_is_chunked_comes_out_whole(
        chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..40), 0..8),
        piece in 1_usize..60,
    ) {
        let mut response = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
        for chunk in &chunks {
            response.extend(format!("{:x}\r\n", chunk.len()).bytes().chain(chunk.iter().copied()).chain(*b"\r\n"));
        }
        response.extend(b"0\r\n\r\n");
        prop_assert_eq!(answer(&response, piece).map(|(_, body)| body), Ok(chunks.concat()));
    }
}
