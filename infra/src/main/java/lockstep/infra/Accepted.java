package lockstep.infra;

import io.github.cdklabs.cdknag.NagPackSuppression;
import io.github.cdklabs.cdknag.NagSuppressions;
import io.github.cdklabs.cdknag.RegexAppliesTo;
import java.util.List;
import java.util.stream.Stream;
import software.constructs.IConstruct;

/** Suppresses findings of cdk-nag that were reviewed and accepted, each on one construct and with a reason. */
final class Accepted {
    private Accepted() {}

    /** @param only the findings to suppress, as cdk-nag writes them or as {@code /regular expression/}; if empty, the whole rule */
    static void finding(IConstruct construct, String rule, String reason, String... only) {
        var suppression = NagPackSuppression.builder().id(rule).reason(reason);
        if (only.length > 0) {
            suppression.appliesTo(Stream.of(only).map(Accepted::finding).toList());
        }
        NagSuppressions.addResourceSuppressions(construct, List.of(suppression.build()), true);
    }

    private static Object finding(String text) {
        return text.startsWith("/") ? RegexAppliesTo.builder().regex(text).build() : text;
    }
}
