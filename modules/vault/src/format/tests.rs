use kernel::{RootKey, SYSTEM_TENANT};
use proptest::prelude::*;

use super::*;

fn key() -> Key {
    Key::for_tenant(&RootKey::from_bytes(&[7; 32]), &Random::default(), SYSTEM_TENANT).0
}

fn whose() -> Whose {
    Whose { tenant: SYSTEM_TENANT, document: Uuid::from_u128(1), version: Uuid::from_u128(2) }
}

/// All of a version in memory, as the upload makes it.
fn sealed(key: &Key, plain: &[u8]) -> Vec<u8> {
    let (header, cipher) = Cipher::begin(key, &Random::default(), whose());
    let count = segments(plain.len() as u64);
    let mut out = header.to_vec();
    for number in 0..count {
        let begin = usize::try_from(number).unwrap() * SEGMENT;
        let mut segment = plain[begin..plain.len().min(begin + SEGMENT)].to_vec();
        cipher.seal(number, number + 1 == count, &mut segment);
        out.extend(segment);
    }
    out
}

/// All of it back, by the size that the row tells.
fn opened(key: &Key, whose: Whose, size: u64, bytes: &[u8]) -> Result<Vec<u8>, OpenError> {
    let cipher = Cipher::open(key, bytes.get(..HEADER).ok_or(OpenError)?, whose)?;
    let (count, mut plain) = (segments(size), Vec::new());
    let mut rest = &bytes[HEADER..];
    for number in 0..count {
        let (segment, after) = rest.split_at(rest.len().min(SEGMENT + TAG));
        let mut segment = segment.to_vec();
        cipher.unseal(number, number + 1 == count, &mut segment)?;
        plain.extend(segment);
        rest = after;
    }
    if rest.is_empty() && plain.len() as u64 == size { Ok(plain) } else { Err(OpenError) }
}

/// Sizes around the bounds of segments.
fn sizes() -> impl Strategy<Value = usize> {
    prop_oneof![
        Just(0),
        Just(1),
        (0usize..4, -2isize..3).prop_map(|(count, off)| (count * SEGMENT).saturating_add_signed(off)),
        0usize..200_000,
    ]
}

fn plain(size: usize) -> Vec<u8> {
    (0..size).map(|place| u8::try_from((place * 31 + place / 251) % 256).unwrap()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_sealed_opens_at_every_size(size in sizes()) {
        let (key, plain) = (key(), plain(size));
        let bytes = sealed(&key, &plain);

        prop_assert_eq!(bytes.len() as u64, sealed_size(size as u64));
        prop_assert_eq!(opened(&key, whose(), size as u64, &bytes).unwrap(), plain);
    }

    #[test]
    fn any_flipped_bit_is_noticed(size in sizes(), place in any::<prop::sample::Index>(), bit in 0u8..8) {
        let key = key();
        let mut bytes = sealed(&key, &plain(size));
        let place = place.index(bytes.len());
        bytes[place] ^= 1 << bit;

        prop_assert!(opened(&key, whose(), size as u64, &bytes).is_err());
    }

    #[test]
    fn nothing_can_be_cut_off_or_appended(size in sizes(), cut in 1usize..70_000) {
        let key = key();
        let bytes = sealed(&key, &plain(size));
        let shorter = &bytes[..bytes.len().saturating_sub(cut)];
        let longer = [bytes.as_slice(), &vec![0; cut]].concat();

        for (bytes, told) in [(shorter, size), (&longer, size), (shorter, size.saturating_sub(cut)), (&longer, size + cut)] {
            prop_assert!(opened(&key, whose(), told as u64, bytes).is_err());
        }
    }
}

#[test]
fn whole_segments_can_not_be_dropped_swapped_or_repeated() {
    let key = key();
    let size = 3 * SEGMENT + 7;
    let bytes = sealed(&key, &plain(size));
    let part = |number: usize| {
        let begin = HEADER + number * (SEGMENT + TAG);
        &bytes[begin..bytes.len().min(begin + SEGMENT + TAG)]
    };
    let header = &bytes[..HEADER];
    let cases: [&[&[u8]]; 5] = [
        &[header, part(0), part(1), part(2)],
        &[header, part(1), part(0), part(2), part(3)],
        &[header, part(0), part(0), part(2), part(3)],
        &[header, part(1), part(2), part(3)],
        &[header, part(0), part(1), part(2), part(2), part(3)],
    ];
    for (number, parts) in cases.iter().enumerate() {
        let bytes = parts.concat();
        for told in [size, size - SEGMENT, size - 7, size + SEGMENT] {
            assert!(opened(&key, whose(), told as u64, &bytes).is_err(), "case {number}, told {told}");
        }
    }
}

#[test]
fn bytes_of_another_tenant_document_version_or_key_do_not_open() {
    let key = key();
    let bytes = sealed(&key, b"secret");
    let other = Uuid::from_u128(3);
    for wrong in [
        Whose { tenant: kernel::Id::from_uuid(other), ..whose() },
        Whose { document: other, ..whose() },
        Whose { version: other, ..whose() },
    ] {
        assert!(opened(&key, wrong, 6, &bytes).is_err());
    }
    let (another, _) = Key::for_tenant(&RootKey::from_bytes(&[7; 32]), &Random::default(), SYSTEM_TENANT);
    assert!(opened(&another, whose(), 6, &bytes).is_err());
}
