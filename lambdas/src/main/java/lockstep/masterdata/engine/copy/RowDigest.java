package lockstep.masterdata.engine.copy;

import com.dynatrace.hash4j.hashing.Hasher128;
import com.dynatrace.hash4j.hashing.Hashing;
import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.util.HexFormat;

/**
 * The digest of a multiset of rows: the sum modulo 2^128 of the XXH3-128 hash of each row's COPY text line (without its
 * newline). It does not depend on the order of rows, and the digest of a union is the sum of the digests.
 *
 * <p>It detects accidental differences, not attacks: two different multisets of rows have the same digest by chance with probability about
 * 2^-128, but XXH3 is not a cryptographic hash. The signed manifest, with the SHA-256 of each part, protects against forgery.
 */
public record RowDigest(long high, long low) {
    public static final RowDigest EMPTY = new RowDigest(0, 0);
    private static final Hasher128 XXH3 = Hashing.xxh3_128();

    /** Returns the digest of the single row whose COPY line is {@code line[from, from + length)}. */
    public static RowDigest ofLine(byte[] line, int from, int length) {
        var hash = XXH3.hashBytesTo128Bits(line, from, length);
        return new RowDigest(hash.getMostSignificantBits(), hash.getLeastSignificantBits());
    }

    public RowDigest plus(RowDigest other) {
        long sum = low + other.low;
        long carry = Long.compareUnsigned(sum, low) < 0 ? 1 : 0;
        return new RowDigest(high + other.high + carry, sum);
    }

    public RowDigest minus(RowDigest other) {
        long borrow = Long.compareUnsigned(low, other.low) < 0 ? 1 : 0;
        return new RowDigest(high - other.high - borrow, low - other.low);
    }

    /** Returns 32 hexadecimal digits. */
    @JsonValue
    @Override
    public String toString() {
        var hex = HexFormat.of();
        return hex.toHexDigits(high) + hex.toHexDigits(low);
    }

    @JsonCreator
    public static RowDigest parse(String hex) {
        if (hex.length() != 32) throw new IllegalArgumentException("a digest has 32 hexadecimal digits, not '" + hex + "'");
        return new RowDigest(HexFormat.fromHexDigitsToLong(hex, 0, 16), HexFormat.fromHexDigitsToLong(hex, 16, 32));
    }
}
