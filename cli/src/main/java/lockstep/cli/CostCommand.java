package lockstep.cli;

import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import lockstep.assembly.Assembly;
import lockstep.cost.Bill;
import lockstep.cost.Biller;
import lockstep.cost.LoadProfile;
import lockstep.cost.Prices;
import lockstep.cost.Settings;
import lockstep.landscape.Account;
import lockstep.landscape.Landscape;
import lockstep.project.TextTable;
import lockstep.project.UserFault;
import lockstep.release.Synthesis;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

@Command(mixinStandardHelpOptions = true, name = "cost",
        description = "Estimates the monthly cost of each account, at rest and under load, and what pausing databases saves.",
        footer = {"", "Uses the synthesized resources and a dated price table; calls no account. Resources without a price are listed.",
                "Exit code: 0 when done, 1 when prices are missing or a file is invalid, 2 on wrong usage."})
final class CostCommand implements Callable<Integer> {
    /** @param unverifiedPrices the number of prices that were not verified on the date of the table */
    record Answer(String region, String pricesOf, long unverifiedPrices, LoadProfile load, List<Account> accounts) {
        record Account(String account, double atRest, double atLoad, double pausingSaves, List<Bill.Line> lines, List<Bill.Saving> pausing,
                List<Bill.NotPriced> notPriced) {}
    }

    @ParentCommand private Main main;

    @Option(names = "--account", paramLabel = "A", description = "Only this account (default: all).") private String account;

    @Option(names = "--load", paramLabel = "FILE|PROFILE", defaultValue = "office",
            description = "The load: rest, office, busy or a YAML file with the fields of one "
                    + "(default: ${DEFAULT-VALUE}).") private String load;

    @Option(names = "--prices", paramLabel = "FILE",
            description = "A price table for another region or with discounts.") private Path prices;

    @Override
    public Integer call() {
        Landscape landscape = main.landscape();
        var accounts = landscape.accounts().stream().filter(each -> account == null || each.name().equals(account)).toList();
        if (accounts.isEmpty()) {
            throw new WrongUsage("there is no account '" + account + "'; write one of "
                    + landscape.accounts().stream().map(Account::name).collect(Collectors.joining(", ")));
        }
        var regions = accounts.stream().map(landscape::regionOf).distinct().toList();
        if (regions.size() > 1) throw new WrongUsage("the accounts are in " + String.join(" and ", regions) + ": give one with --account");
        var table = table(prices, regions.getFirst());
        var profile = LoadProfile.named(load);
        var assembly = new Assembly(Synthesis.of(main.files(), main.landscapeFile(), landscape.region()));
        var bills = accounts.stream().map(each -> Biller.of(each, landscape, assembly, table, profile)).toList();
        main.answer(new Answer(table.region(), table.date(), table.unverified(), profile, bills.stream()
                .map(bill -> new Answer.Account(bill.account(), bill.atRest(), bill.atLoad(), bill.pausingSaves(), bill.lines(),
                        bill.pausing(), bill.notPriced()))
                .toList()), text(bills, table, profile));
        return 0;
    }

    static Prices table(Path file, String region) {
        var table = Prices.read(file == null ? Settings.ofResource("prices.yaml") : Settings.ofFile(file));
        if (!table.region().equals(region)) {
            throw new UserFault("the prices are for " + table.region() + ", but the landscape's region is " + region
                    + ": give a price table for it with --prices FILE");
        }
        return table;
    }

    static String text(List<Bill> bills, Prices prices, LoadProfile load) {
        var text = new StringBuilder();
        for (Bill bill : bills) {
            var table = table(bill.account(), "at rest", "at load " + load.name());
            bill.lines().forEach(
                    line -> table.row("  " + line.what(), line.count(), Prices.dollars(line.atRest()), Prices.dollars(line.atLoad())));
            table.row("  total, USD a month", "", Prices.dollars(bill.atRest()), Prices.dollars(bill.atLoad()));
            text.append(table).append("\n  pausing would save ").append(Prices.dollars(bill.pausingSaves()))
                    .append(" a month at this load:\n");
            bill.pausing()
                    .forEach(saving -> text.append(String.format(Locale.ROOT, "    %s: %s of the database, %s of its application; %s%n",
                            saving.shard(), Prices.dollars(saving.database()), Prices.dollars(saving.service()), saving.reason())));
            text.append("  not priced:\n");
            bill.notPriced()
                    .forEach(it -> text.append(String.format(Locale.ROOT, "    %d × %s: %s%n", it.count(), it.type(), it.reason())));
            text.append("\n");
        }
        text.append(table("all", Prices.dollars(bills.stream().mapToDouble(Bill::atRest).sum()),
                Prices.dollars(bills.stream().mapToDouble(Bill::atLoad).sum())));
        return text.append("\nprices of ").append(prices.region()).append(" on ").append(prices.date()).append(", on demand; ")
                .append(prices.unverified()).append(" of ").append(prices.byName().size())
                .append(" could not be verified that day (assembly/src/main/resources/lockstep/cost/prices.yaml)").toString();
    }

    private static TextTable table(String what, String rest, String load) {
        return new TextTable().left(what, 43).right("", 5).right(rest, 11).right(load, 15);
    }
}
