// Options that tell where the cluster is and how to reach it (cli.md section 1.3, PostgreSQL).

import BackstopCore

let postgresOptions = OptionSpec.section(
    "PostgreSQL",
    [
        .stanza("pgN-path", .path, Commands.cluster, "data directory of the cluster")
            .required(except: ["archive-push", "manifest", "serve"]).oldNames("db-path", "dbN-path")
            .details("The same as the server's data_directory."),
        .stanza("pgN-port", .portOrNone, default: "5432", Commands.databaseUser, "port of the server")
            .when("pg-path").oldNames("db-port", "dbN-port").details("Names the socket as well."),
        .stanza("pgN-socket-path", .string, Commands.databaseUser, "folder of the server's socket")
            .when("pg-path").oldNames("db-socket-path", "dbN-socket-path").details("The client library's own when unset."),
        .stanza("pgN-user", .string, Commands.databaseUser, "database role to connect as")
            .when("pg-path").details("The role named like the operating system's user when unset."),
        .stanza("pgN-database", .string, default: "postgres", Commands.databaseUser, "database to connect to")
            .when("pg-path").details("Any will do in which functions of the system can be called."),
        .stanza("pg-version-force", .string, Commands.cluster.union(["verify"]), "version of PostgreSQL to assume")
            .details("For forks that number their versions differently."),
        .stanza("pgN-local", .boolean, default: "n", Commands.cluster, "take the cluster to be on this host")
            .hidden().details("Whatever pg-host says."),
    ])

private let client = Commands.databaseHost

let postgresHostOptions = OptionSpec.section(
    "PostgreSQL host",
    [
        .stanza("pgN-host", .string, Commands.cluster, "host of the cluster, when it is another one")
            .when("pg-local", "n").oldNames("db-host", "dbN-host").details("A name or an address that the transport can reach."),
        .global("pgN-host-type", .choice(["ssh", "tls"]), default: "ssh", client, "transport to the cluster's host")
            .when("pg-host").details("ssh starts this program there; tls talks to its server there.").unsupportedValues("tls"),
        .stanza("pgN-host-user", .string, default: "postgres", client, "login on the cluster's host")
            .when("pg-host-type", "ssh").oldNames("db-user", "dbN-user").details("Who owns the cluster there."),
        .stanza("pgN-host-port", .portOrNone, client, "port on the cluster's host")
            .when("pg-host-type", "ssh", "tls").defaultsByDependency(["tls": "8432"]).oldNames("db-ssh-port", "dbN-ssh-port")
            .details("With ssh the client's own when unset."),
        .stanza("pgN-host-cmd", .string, client, "this program on the cluster's host")
            .when("pg-host-type", "ssh").oldNames("db-cmd", "dbN-cmd").details(
                "The same path as here when unset; under the name pgbackrest that of the file which the link leads to."),
        .stanza("pgN-host-config", .path, default: "/etc/pgbackstop/pgbackstop.conf", client, "main configuration file there")
            .when("pg-host").oldNames("db-config", "dbN-config").details("Like config, on the cluster's host."),
        .stanza("pgN-host-config-path", .path, default: "/etc/pgbackstop", client, "folder of the configuration there")
            .when("pg-host").details("Like config-path, on the cluster's host."),
        .stanza("pgN-host-config-include-path", .path, default: "/etc/pgbackstop/conf.d", client, "folder with additional files there")
            .when("pg-host").details("Like config-include-path, on the cluster's host."),
        .global("pgN-host-cert-file", .string, client, "certificate to show to the cluster's host")
            .when("pg-host-type", "tls").required().details("In PEM form.").unsupported(),
        .global("pgN-host-key-file", .string, client, "key of that certificate")
            .when("pg-host-type", "tls").required().details("In PEM form, readable for nobody else.").unsupported(),
        .global("pgN-host-ca-file", .string, client, "authorities that the cluster's host is judged by")
            .when("pg-host-type", "tls").details("A bundle in PEM form; the system's own when unset.").unsupported(),
        .global("pgN-host-ca-path", .string, client, "folder of such authorities")
            .when("pg-host-type", "tls").details("Prepared as OpenSSL wants it.").unsupported(),
    ])
