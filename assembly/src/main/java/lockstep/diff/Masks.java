package lockstep.diff;

import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import lockstep.assembly.Assembly;
import lockstep.landscape.Account;
import lockstep.landscape.Landscape;
import lockstep.landscape.Names;

/**
 * Replaces names that contain the side, such as those of accounts, stacks, shards and hosts, with a common name. The mask of a thing in
 * another account keeps the name of that account, so that access to the own account never looks like access to another.
 */
final class Masks {
    private final Map<String, String> names = new HashMap<>();
    /** The roles of stacks by stack name as the CDK writes it in generated names. */
    private final Map<String, String> squeezed = new TreeMap<>(Comparator.reverseOrder());
    private final Pattern label;
    private final Pattern pattern;
    private final Side side;

    Masks(Side side, Landscape landscape, Assembly assembly) {
        this.side = side;
        for (Account account : landscape.accounts()) {
            boolean own = account.name().equals(side.account().name());
            String of = own ? "" : " of " + account.name();
            names.put(account.id(), "<account" + (own ? "" : " " + account.name()) + ">");
            account.proxies().forEach(proxy -> {
                String ofProxy = own && proxy.edition() == side.edition() ? "" : " of " + account.name() + "/" + proxy.edition().word();
                names.put(proxy.host(), "<host" + ofProxy + ">");
                proxy.certificate().ifPresent(certificate -> names.put(certificate, "<certificate" + ofProxy + ">"));
            });
            account.network().ifPresent(network -> {
                names.put(network.vpc(), "<network" + of + ">");
                names.put(network.cidr(), "<addresses" + of + ">");
                network.subnets().values().forEach(subnet -> names.put(subnet, "<subnet" + of + ">"));
                network.publicSubnets().values().forEach(subnet -> names.put(subnet, "<public subnet" + of + ">"));
                network.routeTables().forEach(table -> names.put(table, "<route table" + of + ">"));
                network.securityGroup().ifPresent(group -> names.put(group, "<group of database clients" + of + ">"));
                network.namespace().ifPresent(namespace -> {
                    names.put(namespace.id(), "<namespace" + of + ">");
                    names.put(namespace.name(), "<zone" + of + ">");
                });
            });
            int further = 1;
            for (var shard : account.shards()) {
                boolean source = landscape.dataSets().stream().anyMatch(dataSet -> dataSet.source().equals(shard.name()));
                String name = source ? "source shard" : !own || shard.edition() != side.edition() ? "shard " + shard.name()
                        : shard.equals(side.shard(landscape)) ? "shard" : "shard " + ++further;
                names.put(shard.name(), "<" + name + ">");
                names.put(Names.database(shard.name()), "<" + name + "'s database>");
                shard.database().ifPresent(database -> {
                    names.put(database.host(), "<" + name + "'s server>");
                    names.put(database.secret(), "<" + name + "'s administrator>");
                });
            }
        }
        for (var stack : assembly.stacksOf(side.account())) {
            Roles.role(stack.name(), side, landscape).ifPresent(role -> {
                names.put(stack.name(), "<" + role + " stack>");
                squeezed.put(stack.name().replaceAll("[^A-Za-z0-9]", ""), role);
            });
        }
        pattern = Pattern.compile("(?<![A-Za-z0-9])("
                + names.keySet().stream().sorted(Comparator.comparingInt(String::length).reversed()).map(Pattern::quote)
                        .collect(Collectors.joining("|"))
                + ")(?![a-z0-9])");
        label = Pattern.compile("(?<![A-Za-z0-9])(" + String.join("|", identity()) + ")(?![A-Za-z0-9])");
    }

    String mask(String text) {
        return pattern.matcher(text).replaceAll(match -> Matcher.quoteReplacement(names.get(match.group(1))));
    }

    /** Masks a text that also contains the account or edition as a label for people or logs. */
    String maskLabel(String text) {
        return label.matcher(mask(text)).replaceAll("<name>");
    }

    /** Masks a construct path, and removes spaces and the hashes that the CDK generates from names. */
    String maskPlace(String place) {
        String named = mask(place);
        for (var stack : squeezed.entrySet()) named = named.replace(stack.getKey(), stack.getValue() + "-");
        // an account has constructs for each of its editions
        named = named.replaceAll("\\b" + side.edition().word() + "(?=[A-Z])", "edition");
        return named.replaceAll("(?<=[A-Za-z])[0-9A-F]{8}(?![0-9A-Za-z])", "").replaceAll("[<>']", "").replaceAll("\\s+", "-");
    }

    List<String> identity() {
        return List.of(side.account().name(), side.edition().word());
    }
}
