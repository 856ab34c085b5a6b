package lockstep.clinic;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class MasterDataGeneratorTest {
    private static final MasterDataGenerator GENERATOR = new MasterDataGenerator(6000, 2500, 3000, 4000);

    @ParameterizedTest
    @EnumSource
    void sameRowsEachTimeAndAllDifferent(MasterTable table) throws IOException {
        byte[] first = write(GENERATOR, table);
        assertTrue(Arrays.equals(first, write(GENERATOR, table)));
        List<String> rows = lines(first);
        assertEquals(rows.size(), rows.stream().distinct().count());
    }

    @ParameterizedTest
    @EnumSource(names = {"DISEASE", "POSTAL_CODE", "DRUG"})
    void largerScaleBeginsWithTheRowsOfTheSmaller(MasterTable table) throws IOException {
        List<String> larger = lines(write(new MasterDataGenerator(6600, 2600, 3300, 0), table));
        List<String> smaller = lines(write(GENERATOR, table));
        assertEquals(smaller, larger.subList(0, smaller.size()));
        assertNotEquals(smaller.size(), larger.size());
    }

    @Test
    void twoDrugsInteractWithEachOtherOnly() throws IOException {
        for (String row : lines(write(new MasterDataGenerator(0, 0, 2, 50), MasterTable.DRUG_INTERACTION))) {
            String[] fields = row.split("\t");
            assertTrue(List.of("1 2", "2 1").contains(fields[1] + " " + fields[2]), row);
        }
    }

    @Test
    void copyTextEscapes() {
        assertEquals("\t\\N\t\\\\N\\t\\r\\n\tt\t{}\t{\"a,b\",NULL,\"\\\\\"\\\\\\\\\",\"\"}\n",
                CopyText.row("", null, "\\N\t\r\n", true, List.of(), Arrays.asList("a,b", null, "\"\\", "")));
    }

    @Test
    void impossibleScalesAreRefused() {
        assertEquals("numbers of rows must not be negative: 0, -1, 0, 0", refusal(0, -1, 0, 0));
        assertEquals("interactions need at least two drugs, given 1", refusal(0, 0, 1, 1));
        assertEquals("10,000,001 postal codes exceed seven digits; the maximum is 10,000,000", refusal(0, 10_000_001, 0, 0));
        assertEquals("8,000,001 drugs exceed a drug code's seven digits; the maximum is 8,000,000", refusal(0, 0, 8_000_001, 0));
    }

    private static String refusal(int diseases, int postalCodes, int drugs, int interactions) {
        return assertThrows(IllegalArgumentException.class, () -> new MasterDataGenerator(diseases, postalCodes, drugs, interactions))
                .getMessage();
    }

    private static byte[] write(MasterDataGenerator generator, MasterTable table) throws IOException {
        var bytes = new ByteArrayOutputStream();
        generator.write(table, bytes);
        return bytes.toByteArray();
    }

    private static List<String> lines(byte[] copyText) {
        return new String(copyText, StandardCharsets.UTF_8).lines().toList();
    }
}
