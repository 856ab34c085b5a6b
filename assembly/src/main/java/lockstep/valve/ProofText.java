package lockstep.valve;

import java.util.List;
import java.util.Set;
import lockstep.valve.Attack.Broken;
import lockstep.valve.Attack.Step;

/** Formats a proof as text for auditors and developers. */
public final class ProofText {
    private ProofText() {}

    public static String of(Proof proof) {
        var text = new StringBuilder();
        if (proof.holds()) {
            text.append("The valve holds:\n");
            for (var claim : Broken.values()) text.append("  - ").append(claim.words()).append('\n');
        } else {
            text.append("The valve is broken: ").append(counted(proof.attacks().size(), "attack")).append(".\n");
            int number = 0;
            for (var attack : proof.attacks()) text.append('\n').append(attack(++number, attack));
        }
        text.append("\nWhat each party reaches in production by policies")
                .append(proof.holds() ? ", and nothing else:\n" : ", as permitted:\n");
        proof.byReach().forEach((rights, parties) -> {
            if (rights.isEmpty()) return;
            text.append('\n');
            parties.forEach(party -> text.append("  ").append(party).append('\n'));
            rights.forEach(right -> text.append("      ").append(right).append('\n'));
        });
        text.append("\n  These parties reach nothing:\n");
        proof.byReach().getOrDefault(Set.of(), List.of()).forEach(party -> text.append("      ").append(party).append('\n'));
        text.append("\nFront doors, open to the internet:\n");
        proof.doors().forEach(door -> text.append("  ").append(door).append('\n'));
        text.append("\nExamined: %s, %s, %s and %s with %s; %s could not be evaluated and count as open%s\n".formatted(
                counted(proof.stacks(), "stack"), counted(proof.resources(), "resource"),
                counted(proof.identities(), "role"), counted(proof.resourcePolicies(), "resource policy").replace("policys", "policies"),
                counted(proof.statements(), "statement"),
                counted(proof.open().size(), "condition"), proof.open().isEmpty() ? "." : ":"));
        proof.open().forEach(condition -> text.append("  ").append(condition).append('\n'));
        return text.toString().stripTrailing();
    }

    private static String attack(int number, Attack attack) {
        var text = new StringBuilder("Attack %d: %s%n  breaks: %s%n".formatted(number, attack.title(), attack.claim().words()));
        int step = 0;
        for (Step made : attack.steps()) {
            text.append("  %d. %s%n       %s  %s%n".formatted(++step, made.principal(), made.action(), made.resource()));
            if (!made.by().isEmpty()) text.append("       by ").append(String.join("\n       and ", made.by())).append('\n');
            if (!made.note().isEmpty()) text.append("       ").append(made.note()).append('\n');
        }
        return text.toString();
    }

    private static String counted(int count, String what) {
        return "%,d %s%s".formatted(count, what, count == 1 ? "" : "s");
    }
}
