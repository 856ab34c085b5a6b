package lockstep.cli;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import lockstep.landscape.Edition;
import lockstep.localcloud.ClientCertificates.Client;
import lockstep.localcloud.ClientCertificates;
import lockstep.localcloud.LocalCloud;
import lockstep.localcloud.Page;
import lockstep.localcloud.User;
import lockstep.project.UserFault;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

@Command(mixinStandardHelpOptions = true, name = "open",
        description = "Opens an edition or a shard of the local cloud in the browser, and prints what the browser needs.",
        footer = {"", "On AWS, open the edition's host in lockstep.yaml."})
final class OpenCommand implements Callable<Integer> {
    @ParentCommand private Main main;

    @Parameters(paramLabel = "ACCOUNT|SHARD",
            description = "An account with all its shards, or one shard.") private String what;

    @Option(names = "--print", description = "Only print; do not open a browser (default without a desktop).") private boolean print;

    @Option(names = "--aws", hidden = true) private boolean aws;

    /**
     * A page and what a browser needs for it.
     *
     * @param authority the CA certificate to trust for servers, PEM
     * @param client    the client certificate; production only
     * @param user      the user to log in with; production only, because visitors of the demo sign up
     */
    @JsonInclude(JsonInclude.Include.NON_ABSENT)
    record Opened(String account, String edition, String shard, String url, String authority, Optional<ClientFiles> client,
            Optional<User> user) {}

    /** @param pkcs12 certificate and key in one file for browsers, encrypted with the password */
    record ClientFiles(String name, String certificate, String key, String pkcs12, String password) {}

    @Override
    public Integer call() {
        if (aws) {
            throw new WrongUsage("open works only on the local cloud; on AWS, open the edition's host in lockstep.yaml");
        }
        try (var cloud = LocalCloud.open(main.files(), main.landscape())) {
            var opened = chosen(cloud.pages()).stream().map(page -> opened(cloud, page)).toList();
            main.answer(Map.of("pages", opened), text(opened));
            if (!print && !main.json()) {
                launch(opened.getFirst().url());
            }
        }
        return 0;
    }

    private List<Page> chosen(List<Page> pages) {
        var shards = pages.stream().filter(page -> page.shard().equals(what)).toList();
        var account = pages.stream().filter(page -> page.account().equals(what)).toList();
        if (pages.isEmpty()) {
            throw new UserFault("the local cloud is not up: run lockstep up");
        }
        if (shards.isEmpty() && account.isEmpty()) {
            throw new WrongUsage("there is no account or shard '" + what + "' to open; write one of "
                    + String.join(", ", pages.stream().map(Page::account).distinct().toList())
                    + ", " + String.join(", ", pages.stream().map(Page::shard).toList()));
        }
        return shards.isEmpty() ? account : shards;
    }

    private static Opened opened(LocalCloud cloud, Page page) {
        boolean production = page.edition().equals(Edition.PRODUCTION.word());
        return new Opened(page.account(), page.edition(), page.shard(), page.url(), cloud.certificates().authority().toString(),
                production ? client(cloud.clients()) : Optional.empty(), production ? cloud.user(page.shard()) : Optional.empty());
    }

    /** Returns the first valid client certificate. */
    private static Optional<ClientFiles> client(ClientCertificates clients) {
        return clients.list().stream().filter(Client::isValid).findFirst().map(client -> {
            var files = clients.files(client.name());
            return new ClientFiles(client.name(), files.certificate().toString(), files.key().toString(), files.pkcs12().toString(),
                    files.password());
        });
    }

    private static String text(List<Opened> opened) {
        var text = new ArrayList<String>();
        for (Opened page : opened) {
            text.add(page.url() + "   " + page.shard() + ", " + page.edition() + " edition in " + page.account());
        }
        Opened first = opened.getFirst();
        text.add("");
        text.add("trust in the browser, for servers   " + first.authority());
        opened.stream().filter(page -> page.edition().equals(Edition.PRODUCTION.word())).findFirst().ifPresent(page -> {
            text.add(page.client()
                    .map(client -> "client certificate to import         " + client.pkcs12() + "\n  its password                       "
                            + client.password()
                            + "\n  for curl                           --cert " + client.certificate() + " --key " + client.key())
                    .orElse("client certificate                   all are revoked; to issue one: lockstep certificate issue NAME"));
        });
        opened.forEach(page -> page.user().ifPresent(user -> text.add("log in to " + String.format("%-26s", page.shard())
                + " customer " + user.customer() + ", user " + user.name() + ", password " + user.password())));
        return String.join("\n", text);
    }

    /** Opens the browser if there is a desktop. */
    private void launch(String url) {
        boolean mac = System.getProperty("os.name").startsWith("Mac");
        if (!mac && System.getenv("DISPLAY") == null && System.getenv("WAYLAND_DISPLAY") == null) {
            return;
        }
        try {
            new ProcessBuilder(mac ? "open" : "xdg-open", url).redirectErrorStream(true).redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start();
        } catch (IOException e) {
            System.err.println("lockstep: no browser could be started (" + e.getMessage() + "): open the URL yourself");
        }
    }
}
