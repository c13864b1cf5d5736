#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use proptest::prelude::*;

use super::*;

const ROUTE: &str = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n\
    wlan0\t00000000\t0101A8C0\t0003\t0\t0\t600\t00000000\t0\t0\t0\n\
    wlan0\t0001A8C0\t00000000\t0001\t0\t0\t600\t00FFFFFF\t0\t0\t0\n\
    eth0\t00000000\t0101A8C0\t0200\t0\t0\t100\t00000000\t0\t0\t0\n";

const ROUTE6: &str = "\
00000000000000000000000000000000 00 00000000000000000000000000000000 00 fe800000000000000000000000000001 00000400 00000003 00000000 00000003    wlan1
fe800000000000000000000000000000 40 00000000000000000000000000000000 00 00000000000000000000000000000000 00000100 00000001 00000000 00000001     eth0
00000000000000000000000000000000 00 00000000000000000000000000000000 00 00000000000000000000000000000000 ffffffff 00000001 00000000 00200200       lo
";

#[test]
fn only_a_default_route_that_is_up_counts() {
    assert_eq!(default_routes_v4(ROUTE), ["wlan0"]);
    assert_eq!(default_routes_v6(ROUTE6), ["wlan1"]);
}

#[cfg(target_endian = "little")]
#[test]
fn only_an_established_login_counts() {
    let tcp = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid\n   \
         0: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0\n   \
         1: 0501A8C0:0016 0701A8C0:D2A4 01 00000000:00000000 02:000A7B2C 00000000     0\n   \
         2: 0601A8C0:1F90 0701A8C0:D2A4 01 00000000:00000000 02:000A7B2C 00000000     0\n   \
         3: 0701A8C0:D2A4 0901A8C0:0016 01 00000000:00000000 02:000A7B2C 00000000     0\n";
    assert_eq!(logins(tcp), ["192.168.1.5".parse::<IpAddr>().unwrap()]);
    let tcp6 = "   1: 0000000000000000FFFF00000501A8C0:0016 0000000000000000FFFF00000701A8C0:D2A4 01 0:0\n   \
                2: 000080FE000000000000000001000000:0016 000080FE000000000000000002000000:D2A4 01 0:0\n";
    assert_eq!(logins(tcp6), ["192.168.1.5".parse::<IpAddr>().unwrap(), "fe80::1".parse().unwrap()]);
}

proptest! {
    #[test]
    fn no_table_is_too_strange(text in "\\PC{0,200}", rows in proptest::collection::vec("[0-9A-F: ]{0,60}", 0..8)) {
        for table in [text, rows.join("\n")] {
            let _ = (default_routes_v4(&table), default_routes_v6(&table), logins(&table));
        }
    }
}
