package lockstep.cli.schema;

import java.util.List;

/**
 * The result of the gate.
 *
 * @param added the migrations that the previous release does not have
 */
public record Verdict(String previous, List<String> added, int statements, List<Finding> findings) {
    /**
     * @param line  the line of the statement; 0 if no statement is responsible
     * @param tests the tests that showed the problem
     */
    record Finding(String file, int line, String statement, String what, String mend, List<String> tests) {}

    public boolean compatible() {
        return findings.isEmpty();
    }

    public String text() {
        var text = new StringBuilder();
        for (Finding finding : findings) {
            text.append(finding.file());
            if (finding.line() > 0) text.append(':').append(finding.line());
            if (!finding.statement().isEmpty()) text.append("  ").append(finding.statement());
            text.append("\n    ").append(finding.what().replace("\n", "\n    "));
            for (String test : finding.tests()) text.append("\n    - ").append(test);
            text.append("\n    ").append(finding.mend()).append("\n\n");
        }
        String scope = added.isEmpty() ? "no migration since " + previous
                : added.size() + " migrations with " + statements + " statements since " + previous;
        return text.append(compatible() ? "compatible: " + scope : "not compatible: " + findings.size() + " findings; " + scope).toString();
    }
}
