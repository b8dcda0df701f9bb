use proptest::prelude::*;

use super::*;

fn number(text: &str) -> Number {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn text(result: Result<Number, NumberError>) -> String {
    result.map_or_else(|error| error.to_string(), |number| number.to_string())
}

#[test]
fn the_scale_of_operands_is_kept() {
    assert_eq!(text(number("1.10").add(&number("1.90"))), "3.00");
    assert_eq!(text(number("2").multiply(&number("1.5"))), "3.0");
    assert_eq!(text(number("10").divide(&number("4"))), "2.5");
    assert_eq!(text(number("1.00").divide(&number("2"))), "0.50");
    assert_eq!(text(number("7").divide(&number("2")).unwrap().multiply(&number("2"))), "7.0");
}

#[test]
fn a_division_that_does_not_end_has_34_digits_rounded_half_to_even() {
    assert_eq!(text(number("1").divide(&number("3"))), "0.3333333333333333333333333333333333");
    assert_eq!(text(number("2").divide(&number("3"))), "0.6666666666666666666666666666666667");
    assert_eq!(text(number("-2").divide(&number("3"))), "-0.6666666666666666666666666666666667");
    assert_eq!(text(number("100").divide(&number("7"))), "14.28571428571428571428571428571429");
}

#[test]
fn a_product_is_rounded_to_34_digits() {
    let long = number("1234567890123456789012345");
    assert_eq!(text(long.multiply(&long)), "1.524157875323883675049533479957339E+48");
}

#[test]
fn a_literal_of_more_than_34_digits_stays_exact_and_lends_its_precision() {
    let long = number("12345678901234567890123456789012345678901234567890");
    assert_eq!(long.to_string(), "12345678901234567890123456789012345678901234567890");
    assert_eq!(text(long.add(&Number::ONE)), "12345678901234567890123456789012345678901234567891");
    assert_eq!(text(Number::ONE.add(&long)), "1.234567890123456789012345678901235E+49");
}

#[test]
fn text_follows_java() {
    for (given, expected) in [
        ("1e3", "1E+3"),
        ("0.00000001", "1E-8"),
        ("0.000001", "0.000001"),
        ("-0.0", "0.0"),
        ("5.", "5"),
        (".5", "0.5"),
        ("+7", "7"),
        ("12.50", "12.50"),
        ("1.5E-10", "1.5E-10"),
    ] {
        assert_eq!(number(given).to_string(), expected, "{given}");
    }
    for wrong in ["", " 1", "1 ", "e", "1e", "--1", ".", "1_0", "0x1", "NaN"] {
        assert_eq!(wrong.parse::<Number>().map(|n| n.to_string()), Err(NumberError::Syntax), "{wrong}");
    }
}

#[test]
fn a_double_has_the_digits_that_java_prints() {
    for (given, expected) in [
        (1.0, "1.0"),
        (1.5e10, "1.5E+10"),
        (0.000_001, "0.0000010"),
        (100.5, "100.5"),
        (1e7, "1.0E+7"),
        (0.0, "0.0"),
        (-0.001, "-0.001"),
        (8.574_187_700_290_345, "8.574187700290345"),
    ] {
        assert_eq!(text(Number::from_f64(given)), expected);
    }
    assert_eq!(Number::from_f64(f64::NAN).map(|n| n.to_string()), Err(NumberError::NotFinite));
}

#[test]
fn a_remainder_takes_the_sign_of_the_dividend() {
    assert_eq!(text(number("-12").remainder(&number("5"))), "-2");
    assert_eq!(text(number("10.5").remainder(&number("3"))), "1.5");
    assert_eq!(number("1").remainder(&number("0")).map(|n| n.to_string()), Err(NumberError::DivisionByZero));
    assert_eq!(
        number("1e50").remainder(&number("3")).map(|n| n.to_string()),
        Err(NumberError::DivisionImpossible)
    );
}

#[test]
fn powers_follow_java() {
    assert_eq!(text(number("2").power(10)), "1024");
    assert_eq!(text(number("2").power(-1)), "0.5");
    assert_eq!(text(number("1.1").power(2)), "1.21");
    assert_eq!(text(number("0").power(0)), "1");
    assert_eq!(text(number("3").power(100)), "5.153775207320113310364611297656213E+47");
    assert_eq!(text(number("0").power(-1)), "division by zero");
}

#[test]
fn huge_exponents_cost_no_time() {
    let huge = number("1e999999999");
    assert_eq!(text(huge.add(&Number::ONE)), "1.000000000000000000000000000000000E+999999999");
    assert_eq!(huge.to_i64(), None);
    assert_eq!(huge.to_i32_wrapping(), 0);
    assert!(huge.to_f64().is_infinite());
    assert_eq!(Number::ONE.with_scale(99_999_999, RoundingMode::HalfEven), Err(NumberError::TooManyDigits));
    assert_eq!(text(huge.multiply(&huge).and_then(|n| n.multiply(&huge))), "the exponent is out of range");
}

#[test]
fn every_rounding_mode_rounds_as_named() {
    let modes = |n: &str| {
        RoundingMode::NAMES
            .map(|(_, mode)| number(n).with_scale(0, mode).map_or_else(|_| "!".into(), |n| n.to_string()))
    };
    assert_eq!(modes("2.5"), ["3", "2", "3", "2", "3", "2", "2", "!"]);
    assert_eq!(modes("-2.5"), ["-3", "-2", "-2", "-3", "-3", "-2", "-2", "!"]);
    assert_eq!(modes("1.1"), ["2", "1", "2", "1", "1", "1", "1", "!"]);
}

proptest! {
    #[test]
    fn sums_and_products_of_integers_agree_with_i128(a in -1_i64<<62..1<<62, b in -1_i64<<62..1<<62) {
        let (x, y) = (Number::from(a), Number::from(b));
        prop_assert_eq!(x.add(&y).unwrap().to_string(), (i128::from(a) + i128::from(b)).to_string());
        if a.unsigned_abs() < 1 << 50 && b.unsigned_abs() < 1 << 50 {
            prop_assert_eq!(x.multiply(&y).unwrap().to_string(), (i128::from(a) * i128::from(b)).to_string());
        }
        if b != 0 {
            prop_assert_eq!(x.remainder(&y).unwrap().to_string(), (a % b).to_string());
        }
    }

    #[test]
    fn small_and_big_arithmetic_agree(a in -1_000_000_i64..1_000_000, s in 0_i32..20, b in 1_i64..1_000_000, t in 0_i32..20) {
        let (x, y) = (Number::small(i128::from(a), s), Number::small(i128::from(b), t));
        let by_parts = x.divide_to(&y, PRECISION, RoundingMode::HalfEven).unwrap();
        prop_assert_eq!(x.divide(&y).unwrap().to_string(), by_parts.to_string());
        let product = x.multiply_to(&y, PRECISION).unwrap();
        prop_assert_eq!(x.multiply(&y).unwrap().to_string(), product.to_string());
    }

    #[test]
    fn a_quotient_times_its_divisor_is_the_dividend_within_the_last_digit(a in 1_i64..1 << 60, b in 1_i64..1 << 60) {
        let (x, y) = (Number::from(a), Number::from(b));
        let back = x.divide(&y).unwrap().multiply(&y).unwrap();
        let error = back.subtract(&x).unwrap().abs();
        let bound = x.multiply(&number("1e-32")).unwrap();
        prop_assert!(error <= bound, "{} / {} leaves {}", a, b, error);
    }

    #[test]
    fn text_reads_back_as_the_same_number(a in any::<i64>(), scale in -20_i32..40) {
        let n = Number::small(i128::from(a), scale);
        let back: Number = n.to_string().parse().unwrap();
        prop_assert_eq!(back.to_string(), n.to_string());
        prop_assert_eq!(back.cmp(&n), Ordering::Equal);
    }

    #[test]
    fn a_double_survives_the_way_through_a_decimal(value in any::<f64>()) {
        prop_assume!(value.is_finite());
        let back = Number::from_f64(value).unwrap().to_f64();
        prop_assert!(back.total_cmp(&value).is_eq() || value == 0.0, "{} became {}", value, back);
    }

    #[test]
    fn order_agrees_with_doubles(a in -1_000_000_i64..1_000_000, s in -5_i32..10, b in -1_000_000_i64..1_000_000, t in -5_i32..10) {
        let (x, y) = (Number::small(i128::from(a), s), Number::small(i128::from(b), t));
        let (f, g) = (x.to_f64(), y.to_f64());
        if (f - g).abs() > f.abs().max(g.abs()) * 1e-12 {
            prop_assert_eq!(x.cmp(&y), f.partial_cmp(&g).unwrap());
        }
    }

    #[test]
    fn parsing_never_panics(text in "[-+0-9.eE]{0,30}") {
        if let Ok(number) = text.parse::<Number>() {
            let _ = (number.to_f64(), number.to_i64(), number.to_i32_wrapping(), number.is_integer());
            let _ = number.add(&Number::ONE);
            let _ = number.remainder(&Number::ONE);
        }
    }
}
