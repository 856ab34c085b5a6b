package lockstep.migration.source;

import java.math.BigDecimal;
import java.math.MathContext;
import java.util.function.Predicate;

/**
 * Writes floating point numbers as PostgreSQL does: the shortest digits that stand for the number, with an exponent if it is large or
 * small.
 */
final class FloatText {
    private FloatText() {}

    static String of(double value) {
        return text(Double.toString(value), value, Math.nextUp(value), Math.nextDown(value), 15, digits -> digits.doubleValue() == value);
    }

    static String of(float value) {
        return text(Float.toString(value), value, Math.nextUp(value), Math.nextDown(value), 6, digits -> digits.floatValue() == value);
    }

    /**
     * @param java    the digits that Java writes. They are at least two, and may be halfway to the next number, as can be with large ones
     * @param integer the number of integer digits from which an exponent is written
     * @param stands  whether digits stand for the number
     */
    private static String text(String java, double value, double above, double below, int integer, Predicate<BigDecimal> stands) {
        if (value == 0) return java.startsWith("-") ? "-0" : "0";
        var digits = new BigDecimal(java).stripTrailingZeros();
        if (digits.precision() == 2) {
            var one = digits.round(new MathContext(1));
            if (stands.test(one)) digits = one.stripTrailingZeros();
        } else if (digits.precision() >= integer && Double.isFinite(above) && Double.isFinite(below)) {
            var exact = new BigDecimal(value);
            var next = new BigDecimal(digits.compareTo(exact) > 0 ? above : below);
            for (int more = digits.precision() + 1; digits.add(digits).compareTo(exact.add(next)) == 0; more++)
                digits = exact.round(new MathContext(more));
        }
        int exponent = digits.precision() - digits.scale() - 1;
        if (exponent >= -4 && exponent < integer) return digits.toPlainString();
        String unscaled = digits.unscaledValue().abs().toString();
        return (value < 0 ? "-" : "") + unscaled.charAt(0) + (unscaled.length() > 1 ? "." + unscaled.substring(1) : "") + "e"
                + (exponent < 0 ? "-" : "+") + (Math.abs(exponent) < 10 ? "0" : "") + Math.abs(exponent);
    }
}
