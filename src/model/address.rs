//! Addresses and host names that cannot be reached from the public internet.
//!
//! Sources: the IANA registries of special-purpose addresses (RFC 6890,
//! <https://www.iana.org/assignments/iana-ipv4-special-registry>, <https://www.iana.org/assignments/iana-ipv6-special-registry>)
//! and of special-use domain names (RFC 6761).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::Host;

/// IPv4 networks that are not reachable from the public internet: first address, prefix length, description.
const NETS_V4: &[(Ipv4Addr, u32, &str)] = &[
    (Ipv4Addr::UNSPECIFIED, 8, "an unspecified address"),
    (Ipv4Addr::new(10, 0, 0, 0), 8, "a private address"),
    (Ipv4Addr::new(100, 64, 0, 0), 10, "a carrier-grade NAT address"),
    (Ipv4Addr::new(127, 0, 0, 0), 8, "a loopback address"),
    (Ipv4Addr::new(169, 254, 0, 0), 16, "a link-local address"),
    (Ipv4Addr::new(172, 16, 0, 0), 12, "a private address"),
    (Ipv4Addr::new(192, 0, 0, 0), 24, "a reserved address"),
    (Ipv4Addr::new(192, 0, 2, 0), 24, "a documentation address"),
    (Ipv4Addr::new(192, 88, 99, 0), 24, "a retired 6to4 relay address"),
    (Ipv4Addr::new(192, 168, 0, 0), 16, "a private address"),
    (Ipv4Addr::new(198, 18, 0, 0), 15, "a benchmarking address"),
    (Ipv4Addr::new(198, 51, 100, 0), 24, "a documentation address"),
    (Ipv4Addr::new(203, 0, 113, 0), 24, "a documentation address"),
    (Ipv4Addr::new(224, 0, 0, 0), 4, "a multicast address"),
    (Ipv4Addr::new(240, 0, 0, 0), 4, "a reserved address"),
];

/// Anycast addresses in a reserved network that are public nevertheless (RFC 7723, RFC 8155).
const PUBLIC_V4: [Ipv4Addr; 2] = [Ipv4Addr::new(192, 0, 0, 9), Ipv4Addr::new(192, 0, 0, 10)];

/// As [`NETS_V4`], for IPv6.
const NETS_V6: &[(Ipv6Addr, u32, &str)] = &[
    (Ipv6Addr::UNSPECIFIED, 128, "an unspecified address"),
    (Ipv6Addr::LOCALHOST, 128, "a loopback address"),
    (Ipv6Addr::new(0x64, 0xff9b, 1, 0, 0, 0, 0, 0), 48, "a local NAT64 address"),
    (Ipv6Addr::new(0x100, 0, 0, 0, 0, 0, 0, 0), 63, "a discard-only address"),
    (Ipv6Addr::new(0x2001, 2, 0, 0, 0, 0, 0, 0), 48, "a benchmarking address"),
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23, "a reserved address"),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32, "a documentation address"),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20, "a documentation address"),
    (Ipv6Addr::new(0x5f00, 0, 0, 0, 0, 0, 0, 0), 16, "a reserved address"),
    (Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0), 7, "a unique local address"),
    (Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0), 10, "a link-local address"),
    (Ipv6Addr::new(0xfec0, 0, 0, 0, 0, 0, 0, 0), 10, "a site-local address"),
    (Ipv6Addr::new(0xff00, 0, 0, 0, 0, 0, 0, 0), 8, "a multicast address"),
];

/// IPv6 prefixes with an embedded IPv4 address, and the number of bits after that address: mapped, translated, compatible,
/// NAT64 and 6to4.
const CARRIERS: &[(Ipv6Addr, u32, u32)] = &[
    (Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0, 0), 96, 0),
    (Ipv6Addr::new(0, 0, 0, 0, 0xffff, 0, 0, 0), 96, 0),
    (Ipv6Addr::UNSPECIFIED, 96, 0),
    (Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0), 96, 0),
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16, 80),
];

/// Suffixes of names that public DNS does not resolve.
const LOCAL_SUFFIXES: &[&str] =
    &["localhost", "local", "internal", "home.arpa", "localdomain", "lan", "intranet", "corp", "home"];

/// Returns true if the address is not reachable from the public internet.
pub fn is_private(address: IpAddr) -> bool {
    private_net(address).is_some()
}

/// Describes why an address is not reachable from the public internet, such as `a loopback address`; `None` for a public
/// one.
pub fn private_net(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(address) => private_v4(address),
        IpAddr::V6(address) => private_v6(address),
    }
}

/// As [`private_net`], for the host of a URL, which may be a name.
pub fn private_host(host: &Host<&str>) -> Option<&'static str> {
    match host {
        Host::Ipv4(address) => private_v4(*address),
        Host::Ipv6(address) => private_v6(*address),
        Host::Domain(name) => private_name(name),
    }
}

/// Describes a name that is not, or should not be, in public DNS.
fn private_name(name: &str) -> Option<&'static str> {
    let name = name.trim_end_matches('.');
    let ends_in = |suffix: &&&str| {
        let rest = name.len().checked_sub(suffix.len()).and_then(|at| name.split_at_checked(at));
        rest.is_some_and(|(before, end)| end.eq_ignore_ascii_case(suffix) && (before.is_empty() || before.ends_with('.')))
    };
    match LOCAL_SUFFIXES.iter().find(ends_in) {
        Some(&"localhost") => Some("a loopback name"),
        Some(_) => Some("a local network name"),
        None => (!name.contains('.')).then_some("a bare host name"),
    }
}

fn private_v4(address: Ipv4Addr) -> Option<&'static str> {
    let bits = address.to_bits();
    let holds = |&&(net, prefix, _): &&(Ipv4Addr, u32, &str)| (bits ^ net.to_bits()).leading_zeros() >= prefix;
    NETS_V4.iter().find(holds).filter(|_| !PUBLIC_V4.contains(&address)).map(|&(_, _, what)| what)
}

fn private_v6(address: Ipv6Addr) -> Option<&'static str> {
    let bits = address.to_bits();
    let is_in = |net: Ipv6Addr, prefix: u32| (bits ^ net.to_bits()).leading_zeros() >= prefix;
    if let Some(&(_, _, what)) = NETS_V6.iter().find(|&&(net, prefix, _)| is_in(net, prefix)) {
        return Some(what);
    }
    let &(_, _, behind) = CARRIERS.iter().find(|&&(net, prefix, _)| is_in(net, prefix))?;
    let carried = u32::try_from((bits >> behind) & u128::from(u32::MAX)).ok()?;
    private_v4(Ipv4Addr::from_bits(carried))
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::*;

    fn of(url: &str) -> Option<&'static str> {
        private_host(&Url::parse(url).unwrap().host().unwrap())
    }

    #[test]
    fn every_spelling_of_a_private_address_is_private() {
        for url in [
            "https://127.0.0.1/",
            "https://127.1/",
            "https://2130706433/",
            "https://0x7f.1/",
            "https://0177.0.0.1/",
            "https://0x7f000001/",
            "https://0/",
            "https://10.0.0.5:8443/",
            "https://172.16.0.1/",
            "https://172.31.255.255/",
            "https://192.168.40.7/",
            "https://169.254.169.254/",
            "https://100.64.0.1/",
            "https://192.0.2.1/",
            "https://198.18.0.1/",
            "https://203.0.113.9/",
            "https://224.0.0.1/",
            "https://255.255.255.255/",
            "https://[::1]/",
            "https://[::]/",
            "https://[fc00::1]/",
            "https://[fd12:3456::1]/",
            "https://[fe80::1]/",
            "https://[2001:db8::1]/",
            "https://[::ffff:10.0.0.1]/",
            "https://[::ffff:7f00:1]/",
            "https://[::10.0.0.1]/",
            "https://[64:ff9b::10.0.0.1]/",
            "https://[2002:0a00:0001::]/",
            "https://[::ffff:0:10.0.0.1]/",
            "https://[2001::1]/",
            "https://[3fff::1]/",
            "https://[100::1]/",
            "https://[5f00::1]/",
            "https://192.0.0.1/",
            "https://192.88.99.1/",
            "https://１２７.0.0.1/",
            "https://127.0.0.1./",
        ] {
            assert!(of(url).is_some(), "{url}");
        }
    }

    #[test]
    fn every_name_of_a_local_network_is_private() {
        for url in [
            "https://localhost/",
            "https://LOCALHOST:3000/",
            "https://localhost./",
            "https://app.localhost/",
            "https://printer.local/",
            "https://crm.svc.northwind.internal/",
            "https://nas.home.arpa/",
            "https://recordings-worker/",
            "https://intranet/",
        ] {
            assert!(of(url).is_some(), "{url}");
        }
    }

    #[test]
    fn the_neighbours_of_private_nets_are_public() {
        for url in [
            "https://9.255.255.255/",
            "https://11.0.0.0/",
            "https://172.15.255.255/",
            "https://172.32.0.0/",
            "https://100.63.255.255/",
            "https://100.128.0.0/",
            "https://192.167.255.255/",
            "https://192.169.0.0/",
            "https://198.20.0.0/",
            "https://192.0.0.9/",
            "https://[2001:4860:4860::8888]/",
            "https://[2001:200::1]/",
            "https://[3fff:1000::1]/",
            "https://8.8.8.8/",
            "https://[2606:4700::1111]/",
            "https://[::ffff:8.8.8.8]/",
            "https://[64:ff9b::8.8.8.8]/",
            "https://[2002:0808:0808::]/",
            "https://hooks.acme.com/",
            "https://notlocalhost.com/",
            "https://mylocal.example.com/",
            "https://local.acme.com/",
            "https://internal.acme.com/",
            "https://xlocal.io/",
        ] {
            assert_eq!(of(url), None, "{url}");
        }
    }

    #[test]
    fn an_address_is_judged_without_a_url_too() {
        assert!(is_private(Ipv4Addr::LOCALHOST.into()) && is_private(Ipv6Addr::LOCALHOST.into()));
        assert!(!is_private(Ipv4Addr::new(1, 1, 1, 1).into()));
    }
}
