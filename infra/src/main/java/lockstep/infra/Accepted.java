package lockstep.infra;

import io.github.cdklabs.cdknag.NagPackSuppression;
import io.github.cdklabs.cdknag.NagSuppressions;
import io.github.cdklabs.cdknag.RegexAppliesTo;
import java.util.List;
import java.util.stream.Stream;
import software.constructs.IConstruct;

/** Findings of cdk-nag that were looked at and accepted, each on one construct and for a reason. */
final class Accepted {
    private Accepted() {}

    /** @param only the findings meant, as cdk-nag writes them or as {@code /regular expression/}; the whole rule when none */
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
