//! Which IP addresses are no place on the public internet.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether an address cannot be reached from the public internet, or must not be: private and shared networks, this machine,
/// links, documentation, benchmarks, multicast, and whatever an IPv6 address wraps of these (mapped, NAT64, 6to4).
///
/// The registries are those of RFC 6890 (<https://www.iana.org/assignments/iana-ipv4-special-registry>,
/// <https://www.iana.org/assignments/iana-ipv6-special-registry>).
pub fn is_private(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_private_v4(ip),
        IpAddr::V6(ip) => is_private_v6(ip),
    }
}

#[expect(clippy::match_same_arms, reason = "an arm is an entry of the registry, or a few that belong together")]
fn is_private_v4(ip: Ipv4Addr) -> bool {
    match ip.octets() {
        // "This network" (RFC 791), loopback (RFC 1122) and RFC 1918.
        [0 | 10 | 127, ..] | [172, 16..=31, ..] | [192, 168, ..] => true,
        // Shared address space behind a carrier's NAT (RFC 6598); link-local (RFC 3927).
        [100, 64..=127, ..] | [169, 254, ..] => true,
        // Protocol assignments (RFC 6890), but for PCP and TURN anycast (RFC 7723, RFC 8155), which are global.
        [192, 0, 0, last] => !matches!(last, 9 | 10),
        // Documentation (RFC 5737), benchmarks (RFC 2544), retired 6to4 relays (RFC 7526).
        [192, 0, 2, _] | [198, 51, 100, _] | [203, 0, 113, _] | [198, 18..=19, ..] | [192, 88, 99, _] => true,
        // Multicast (RFC 5771), reserved (RFC 1112) and broadcast (RFC 919).
        [224..=255, ..] => true,
        _ => false,
    }
}

#[expect(clippy::match_same_arms, reason = "an arm is an entry of the registry, or a few that belong together")]
fn is_private_v6(ip: Ipv6Addr) -> bool {
    let embedded = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        is_private_v4(Ipv4Addr::new(a, b, c, d))
    };
    match ip.segments() {
        // Unspecified and loopback (RFC 4291).
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => true,
        // IPv4-mapped and IPv4-compatible (RFC 4291), IPv4-translated (RFC 2765).
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low] | [0, 0, 0, 0, 0xffff, 0, high, low] => embedded(high, low),
        // NAT64 (RFC 6052); its local-use prefix (RFC 8215).
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => embedded(high, low),
        [0x64, 0xff9b, 1, ..] => true,
        // 6to4 (RFC 3056).
        [0x2002, high, low, ..] => embedded(high, low),
        // Discard-only (RFC 6666) and dummy prefix (RFC 9780).
        [0x100, 0, 0, 0 | 1, ..] => true,
        // Protocol assignments: Teredo (RFC 4380), benchmarks (RFC 5180), ORCHID (RFC 4843, RFC 7343) among them. Those that
        // are global carry no web servers.
        [0x2001, 0..=0x1ff, ..] => true,
        // Documentation (RFC 3849, RFC 9637).
        [0x2001, 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => true,
        // Segment routing (RFC 9602), unique local (RFC 4193), link-local (RFC 4291), site-local (RFC 3879), multicast.
        [0x5f00 | 0xfc00..=0xfdff | 0xfe80..=0xffff, ..] => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(addresses: &[&str], private: bool) {
        for address in addresses {
            assert_eq!(is_private(address.parse().unwrap()), private, "{address}");
        }
    }

    #[test]
    fn addresses_of_no_public_place_are_private() {
        all(
            &[
                "0.0.0.0",
                "0.1.2.3",
                "10.0.0.1",
                "10.255.255.255",
                "100.64.0.1",
                "100.127.255.255",
                "127.0.0.1",
                "127.9.9.9",
                "169.254.169.254",
                "172.16.0.1",
                "172.31.255.255",
                "192.0.0.1",
                "192.0.2.1",
                "192.88.99.1",
                "192.168.1.1",
                "198.18.0.1",
                "198.19.255.255",
                "198.51.100.7",
                "203.0.113.9",
                "224.0.0.1",
                "240.0.0.1",
                "255.255.255.255",
            ],
            true,
        );
        all(
            &[
                "::",
                "::1",
                "fc00::1",
                "fd12::1",
                "fe80::1",
                "febf::1",
                "fec0::1",
                "ff02::1",
                "2001:db8::1",
                "3fff::1",
                "2001::1",
                "2001:2::1",
                "100::1",
                "64:ff9b:1::1",
                "5f00::1",
            ],
            true,
        );
    }

    #[test]
    fn an_address_that_wraps_a_private_one_is_private() {
        all(
            &[
                "::ffff:127.0.0.1",
                "::ffff:192.168.0.1",
                "::10.0.0.1",
                "::ffff:0:10.0.0.1",
                "64:ff9b::10.0.0.1",
                "64:ff9b::7f00:1",
                "2002:7f00:1::",
                "2002:c0a8:101::1",
            ],
            true,
        );
        all(&["::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::1"], false);
    }

    #[test]
    fn addresses_of_the_internet_are_not() {
        all(
            &[
                "1.1.1.1",
                "8.8.8.8",
                "9.255.255.255",
                "11.0.0.0",
                "100.63.255.255",
                "100.128.0.0",
                "126.255.255.255",
                "128.0.0.1",
                "169.253.0.1",
                "172.15.255.255",
                "172.32.0.0",
                "192.0.0.9",
                "192.0.1.1",
                "192.167.0.1",
                "198.17.255.255",
                "198.20.0.0",
                "223.255.255.255",
                "2606:4700::1111",
                "2001:4860:4860::8888",
                "2a00::1",
                "2001:200::1",
                "3fff:1000::1",
            ],
            false,
        );
    }
}
