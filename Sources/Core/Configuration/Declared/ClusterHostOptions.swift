// Options of a cluster on another host (cli.md section 1.3, PostgreSQL host).

/// How a cluster on another host is reached: `pgN-host…`, `cmd-ssh`.
public enum ClusterHostOptions {
    public static let host = OptionKey<String?>(
        .stanza("pgN-host", .string, CommandSets.cluster, "host of the cluster, when it is another one")
            .when("pg-local", "n").oldNames("db-host", "dbN-host").details("A name or an address that the transport can reach."))
    public static let type = OptionKey<String>(
        .global("pgN-host-type", .choice(["ssh", "tls"]), default: "ssh", CommandSets.databaseHost, "transport to the cluster's host")
            .when("pg-host").details("ssh starts this program there; tls talks to its server there.").unsupportedValues("tls"))
    public static let user = OptionKey<String>(
        .stanza("pgN-host-user", .string, default: "postgres", CommandSets.databaseHost, "login on the cluster's host")
            .when("pg-host-type", "ssh").oldNames("db-user", "dbN-user").details("Who owns the cluster there."))
    public static let port = OptionKey<Int?>(
        .stanza("pgN-host-port", .portOrNone, CommandSets.databaseHost, "port on the cluster's host")
            .when("pg-host-type", "ssh", "tls").defaultsByDependency(["tls": "8432"]).oldNames("db-ssh-port", "dbN-ssh-port")
            .details("With ssh the client's own when unset."))
    public static let cmd = OptionKey<String?>(
        .stanza("pgN-host-cmd", .string, CommandSets.databaseHost, "this program on the cluster's host")
            .when("pg-host-type", "ssh").oldNames("db-cmd", "dbN-cmd").details(
                "The same path as here when unset; under the name pgbackrest that of the file which the link leads to."))
    public static let config = OptionKey<String>(
        .stanza(
            "pgN-host-config", .path, default: "/etc/pgbackstop/pgbackstop.conf", CommandSets.databaseHost, "main configuration file there"
        )
        .when("pg-host").oldNames("db-config", "dbN-config").details("Like config, on the cluster's host."))
    public static let configPath = OptionKey<String>(
        .stanza("pgN-host-config-path", .path, default: "/etc/pgbackstop", CommandSets.databaseHost, "folder of the configuration there")
            .when("pg-host").details("Like config-path, on the cluster's host."))
    public static let configIncludePath = OptionKey<String>(
        .stanza(
            "pgN-host-config-include-path", .path, default: "/etc/pgbackstop/conf.d", CommandSets.databaseHost,
            "folder with additional files there"
        )
        .when("pg-host").details("Like config-include-path, on the cluster's host."))
    public static let certFile = OptionKey<String?>(
        .global("pgN-host-cert-file", .string, CommandSets.databaseHost, "certificate to show to the cluster's host")
            .when("pg-host-type", "tls").required().details("In PEM form.").unsupported())
    public static let keyFile = OptionKey<String?>(
        .global("pgN-host-key-file", .string, CommandSets.databaseHost, "key of that certificate")
            .when("pg-host-type", "tls").required().details("In PEM form, readable for nobody else.").unsupported())
    public static let caFile = OptionKey<String?>(
        .global("pgN-host-ca-file", .string, CommandSets.databaseHost, "authorities that the cluster's host is judged by")
            .when("pg-host-type", "tls").details("A bundle in PEM form; the system's own when unset.").unsupported())
    public static let caPath = OptionKey<String?>(
        .global("pgN-host-ca-path", .string, CommandSets.databaseHost, "folder of such authorities")
            .when("pg-host-type", "tls").details("Prepared as OpenSSL wants it.").unsupported())
    public static let cmdSSH = OptionKey<String>(
        .global("cmd-ssh", .string, default: "ssh", CommandSets.repository, "ssh client").details("Program that reaches other hosts."))

    /// All of them, for the option table: a key that is missing here is no option.
    public static let specs: [OptionSpec] =
        OptionSpec.section(
            "PostgreSQL host",
            [
                host.spec, type.spec, user.spec, port.spec, cmd.spec, config.spec, configPath.spec, configIncludePath.spec, certFile.spec,
                keyFile.spec, caFile.spec, caPath.spec,
            ])
        + OptionSpec.section(
            "General",
            [cmdSSH.spec])
}
