// Options of a repository on another host (cli.md section 1.3, Repository host).

/// How a repository on another host is reached: `repoN-host…`.
public enum RepositoryHostOptions {
    public static let host = OptionKey<String?>(
        .global("repoN-host", .string, CommandSets.repository, "host of the repository, when it is another one")
            .when("repo-local", "n").oldNames("backup-host").details("A name or an address that the transport can reach."))
    public static let type = OptionKey<String>(
        .global("repoN-host-type", .choice(["ssh", "tls"]), default: "ssh", CommandSets.repository, "transport to the repository's host")
            .when("repo-host").details("ssh starts this program there; tls talks to its server there.").unsupportedValues("tls"))
    public static let user = OptionKey<String>(
        .global("repoN-host-user", .string, default: "pgbackrest", CommandSets.repository, "login on the repository's host")
            .when("repo-host-type", "ssh").oldNames("backup-user").details("Who owns the repository there."))
    public static let port = OptionKey<Int?>(
        .global("repoN-host-port", .portOrNone, CommandSets.repository, "port on the repository's host")
            .when("repo-host-type", "ssh", "tls").defaultsByDependency(["tls": "8432"]).oldNames("backup-ssh-port")
            .details("With ssh the client's own when unset."))
    public static let cmd = OptionKey<String?>(
        .global("repoN-host-cmd", .string, CommandSets.repository, "this program on the repository's host")
            .when("repo-host-type", "ssh").oldNames("backup-cmd").details(
                "The same path as here when unset; under the name pgbackrest that of the file which the link leads to."))
    public static let config = OptionKey<String>(
        .global(
            "repoN-host-config", .string, default: "/etc/pgbackstop/pgbackstop.conf", CommandSets.repository,
            "main configuration file there"
        )
        .when("repo-host").oldNames("backup-config").details("Like config, on the repository's host."))
    public static let configPath = OptionKey<String>(
        .global("repoN-host-config-path", .path, default: "/etc/pgbackstop", CommandSets.repository, "folder of the configuration there")
            .when("repo-host").details("Like config-path, on the repository's host."))
    public static let configIncludePath = OptionKey<String>(
        .global(
            "repoN-host-config-include-path", .path, default: "/etc/pgbackstop/conf.d", CommandSets.repository,
            "folder with additional files there"
        )
        .when("repo-host").details("Like config-include-path, on the repository's host."))
    public static let certFile = OptionKey<String?>(
        .global("repoN-host-cert-file", .string, CommandSets.repository, "certificate to show to the repository's host")
            .when("repo-host-type", "tls").required().details("In PEM form.").unsupported())
    public static let keyFile = OptionKey<String?>(
        .global("repoN-host-key-file", .string, CommandSets.repository, "key of that certificate")
            .when("repo-host-type", "tls").required().details("In PEM form, readable for nobody else.").unsupported())
    public static let caFile = OptionKey<String?>(
        .global("repoN-host-ca-file", .string, CommandSets.repository, "authorities that the repository's host is judged by")
            .when("repo-host-type", "tls").details("A bundle in PEM form; the system's own when unset.").unsupported())
    public static let caPath = OptionKey<String?>(
        .global("repoN-host-ca-path", .string, CommandSets.repository, "folder of such authorities")
            .when("repo-host-type", "tls").details("Prepared as OpenSSL wants it.").unsupported())

    /// All of them, for the option table: a key that is missing here is no option.
    public static let specs: [OptionSpec] = OptionSpec.section(
        "Repository host",
        [
            host.spec, type.spec, user.spec, port.spec, cmd.spec, config.spec, configPath.spec, configIncludePath.spec, certFile.spec,
            keyFile.spec, caFile.spec, caPath.spec,
        ])
}
