package lockstep.clinic;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import lockstep.clinic.configuration.Edition;
import lockstep.clinic.configuration.Features;
import org.junit.jupiter.api.Test;

/** The features of each edition. Customers or visitors will notice a change here. */
class FeaturesTest {
    @Test
    void editionsDifferInTheseFeatures() {
        assertEquals(List.of("clientCertificate"), of(Edition.PRODUCTION));
        assertEquals(List.of("signUp", "demoNotice", "inquiries", "banner", "tenantExpiry"), of(Edition.DEMO));
    }

    @Test
    void theFileForComparisonsSaysTheSame() throws IOException {
        var features = Arrays.stream(Edition.values()).map(edition -> "  \"" + edition.name().toLowerCase(Locale.ROOT) + "\": {"
                + Arrays.stream(Features.class.getRecordComponents())
                        .map(feature -> "\"" + feature.getName() + "\": " + of(edition).contains(feature.getName()))
                        .collect(Collectors.joining(", "))
                + "}").collect(Collectors.joining(",\n", "{\n", "\n}\n"));
        assertEquals(features, Files.readString(Path.of("features.json")));
    }

    private static List<String> of(Edition edition) {
        return Arrays.stream(Features.class.getRecordComponents()).filter(feature -> {
            try {
                return (boolean) feature.getAccessor().invoke(Features.of(edition));
            } catch (ReflectiveOperationException e) {
                throw new IllegalStateException(e);
            }
        }).map(feature -> feature.getName()).toList();
    }
}
