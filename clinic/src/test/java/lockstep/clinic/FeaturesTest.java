package lockstep.clinic;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Arrays;
import java.util.List;
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
