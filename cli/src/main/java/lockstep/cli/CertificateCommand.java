package lockstep.cli;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import lockstep.localcloud.ClientCertificates.Client;
import lockstep.localcloud.ClientCertificates;
import lockstep.localcloud.LocalCloud;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

@Command(mixinStandardHelpOptions = true, name = "certificate",
        description = "Manages client certificates of the local cloud's production editions.", synopsisSubcommandLabel = "COMMAND",
        subcommands = {CertificateCommand.Issue.class, CertificateCommand.Revoke.class, CertificateCommand.ListAll.class},
        footer = {"", "On AWS you use your own certificate authority: docs/operate/certificates.md."})
final class CertificateCommand implements Callable<Integer> {
    @ParentCommand private Main main;

    @Override
    public Integer call() {
        throw new WrongUsage("missing subcommand: issue, revoke or list");
    }

    @Command(mixinStandardHelpOptions = true, name = "issue", description = "Issues a certificate.")
    static final class Issue implements Callable<Integer> {
        @ParentCommand private CertificateCommand parent;

        @Parameters(paramLabel = "NAME") private String name;

        @Override
        public Integer call() {
            parent.main.files().exclusively(() -> {
                try (var cloud = parent.cloud()) {
                    Client client = checked(() -> cloud.clients().issue(name));
                    var files = cloud.clients().files(client.name());
                    var answer = new LinkedHashMap<String, Object>();
                    answer.put("client", client);
                    answer.put("certificate", files.certificate().toString());
                    answer.put("key", files.key().toString());
                    answer.put("pkcs12", files.pkcs12().toString());
                    answer.put("password", files.password());
                    parent.main.answer(answer,
                            "issued to " + client.name() + ", until " + client.expires() + "\n  for browsers  " + files.pkcs12()
                                    + "\n  its password  " + files.password() + "\n  for curl      --cert " + files.certificate()
                                    + " --key " + files.key());
                }
            });
            return 0;
        }
    }

    @Command(mixinStandardHelpOptions = true, name = "revoke", description = "Revokes a certificate; the proxies follow within seconds.")
    static final class Revoke implements Callable<Integer> {
        @ParentCommand private CertificateCommand parent;

        @Parameters(paramLabel = "NAME") private String name;

        @Override
        public Integer call() {
            parent.main.files().exclusively(() -> {
                try (var cloud = parent.cloud()) {
                    Client client = checked(() -> cloud.clients().revoke(name));
                    cloud.publishClients();
                    parent.main.answer(Map.of("client", client),
                            "revoked the certificate of " + client.name() + "; every production proxy has the new list");
                }
            });
            return 0;
        }
    }

    @Command(mixinStandardHelpOptions = true, name = "list", description = "Lists the issued certificates.")
    static final class ListAll implements Callable<Integer> {
        @ParentCommand private CertificateCommand parent;

        @Override
        public Integer call() {
            try (var cloud = parent.cloud()) {
                var clients = cloud.clients().list();
                parent.main.answer(Map.of("clients", clients),
                        clients.stream().map(client -> String.format("%-24s %-10s %s  until %s", client.name(),
                                client.revoked().isPresent() ? "revoked" : client.isValid() ? "valid" : "expired", client.serial(),
                                client.expires())).collect(Collectors.joining("\n")));
            }
            return 0;
        }
    }

    private LocalCloud cloud() {
        return LocalCloud.open(main.files(), main.landscape());
    }

    /** Reports errors of {@link ClientCertificates} as wrong usage. */
    private static Client checked(Supplier<Client> work) {
        try {
            return work.get();
        } catch (IllegalArgumentException e) {
            throw new WrongUsage(e.getMessage());
        }
    }
}
