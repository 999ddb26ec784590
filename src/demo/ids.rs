//! Opaque ids that are computed from the position of a webhook, and the position from the id. Uses nothing else; start at
//! [`encode_id`].

const ID_PREFIX: &str = "whk_";
const ID_DIGITS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const ID_LENGTH: u32 = 12;
/// The greatest index that has an id of its own.
pub(super) const ID_MASK: u64 = (1 << (5 * ID_LENGTH)) - 1;

/// Makes the first webhook's id `whk_c9v3nz8rq4pm`, the one in the API's documentation.
const ID_SALT: u64 = 0x0627_63af_d18b_92d4;

pub(super) const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;
const MULTIPLIER_INVERSE: u64 = 0xf1de_83e1_9937_733d;
const _: () = assert!(MULTIPLIER.wrapping_mul(MULTIPLIER_INVERSE) == 1);

/// Scatters an index over all ids. Each step can be undone: a product with an odd number by its inverse, and a shift by half
/// of the width by itself.
fn scatter(index: u64) -> u64 {
    fold(fold(index).wrapping_mul(MULTIPLIER) & ID_MASK) ^ ID_SALT
}

/// Undoes [`scatter`].
fn gather(scattered: u64) -> u64 {
    fold(fold(scattered ^ ID_SALT).wrapping_mul(MULTIPLIER_INVERSE) & ID_MASK)
}

fn fold(value: u64) -> u64 {
    value ^ (value >> (5 * ID_LENGTH / 2))
}

pub(super) fn encode_id(index: u64) -> String {
    let scattered = scatter(index);
    let digits = (0..ID_LENGTH).rev().filter_map(|position| {
        let digit = usize::try_from((scattered >> (5 * position)) & 31).ok()?;
        ID_DIGITS.get(digit).copied().map(char::from)
    });
    ID_PREFIX.chars().chain(digits).collect()
}

pub(super) fn decode_id(id: &str) -> Option<u64> {
    let digits = id.strip_prefix(ID_PREFIX)?;
    if digits.len() != ID_LENGTH as usize {
        return None;
    }
    let scattered = digits.bytes().try_fold(0, |value, byte| {
        let digit = ID_DIGITS.iter().position(|known| *known == byte)?;
        Some((value << 5) | digit as u64)
    })?;
    Some(gather(scattered))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_index_survives_its_id(index in 0..=ID_MASK) {
            prop_assert_eq!(decode_id(&encode_id(index)), Some(index));
        }
    }
}
