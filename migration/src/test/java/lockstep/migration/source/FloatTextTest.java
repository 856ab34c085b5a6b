package lockstep.migration.source;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import lockstep.migration.Servers;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Compares the texts with those that PostgreSQL writes. */
@Tag("nightly")
class FloatTextTest {
    @Test
    void likePostgres() {
        var login = Servers.database();
        var random = new Random(7);
        var numbers = IntStream.range(0, 5000).mapToObj(i -> switch (i) {
            case 0 -> 0.0;
            case 1 -> -0.0;
            case 2 -> Double.MIN_VALUE;
            case 3 -> Double.MAX_VALUE;
            case 4 -> 1e15;
            case 5 -> 999999999999999.0;
            case 6 -> 1e-4;
            case 7 -> 1e-5;
            case 8 -> 1e6;
            default -> i % 2 == 0 ? Math.round(random.nextGaussian() * 1e6) / 100.0
                    : Double.longBitsToDouble(random.nextLong(0x7fefffffffffffffL));
        }).toList();
        String rows = numbers.stream().map(number -> "('" + number + "')").collect(Collectors.joining(", "));
        assertEquals(numbers.stream().map(FloatText::of).toList(),
                Servers.query(login, "SELECT v::float8 FROM (VALUES " + rows + ") t (v)"));
        var floats = numbers.stream().filter(n -> Math.abs(n) < 1e38 && (n == 0 || Math.abs(n) > 1e-37)).map(Double::floatValue).toList();
        String floatRows = floats.stream().map(number -> "('" + number + "')").collect(Collectors.joining(", "));
        assertEquals(floats.stream().map(FloatText::of).toList(),
                Servers.query(login, "SELECT v::float4 FROM (VALUES " + floatRows + ") t (v)"));
    }
}
