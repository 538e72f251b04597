// Options of a repository on another host, and of the server for such hosts (cli.md section 1.3, Repository host and TLS server).

import BackstopCore

private let all = Commands.repository

let repositoryHostOptions = OptionSpec.section(
    "Repository host",
    [
        .global("repoN-host", .string, all, "host of the repository, when it is another one")
            .when("repo-local", "n").oldNames("backup-host").details("A name or an address that the transport can reach."),
        .global("repoN-host-type", .choice(["ssh", "tls"]), default: "ssh", all, "transport to the repository's host")
            .when("repo-host").details("ssh starts this program there; tls talks to its server there.").unsupportedValues("tls"),
        .global("repoN-host-user", .string, default: "pgbackrest", all, "login on the repository's host")
            .when("repo-host-type", "ssh").oldNames("backup-user").details("Who owns the repository there."),
        .global("repoN-host-port", .portOrNone, all, "port on the repository's host")
            .when("repo-host-type", "ssh", "tls").defaultsByDependency(["tls": "8432"]).oldNames("backup-ssh-port")
            .details("With ssh the client's own when unset."),
        .global("repoN-host-cmd", .string, all, "this program on the repository's host")
            .when("repo-host-type", "ssh").oldNames("backup-cmd").details(
                "The same path as here when unset; under the name pgbackrest that of the file which the link leads to."),
        .global("repoN-host-config", .string, default: "/etc/pgbackstop/pgbackstop.conf", all, "main configuration file there")
            .when("repo-host").oldNames("backup-config").details("Like config, on the repository's host."),
        .global("repoN-host-config-path", .path, default: "/etc/pgbackstop", all, "folder of the configuration there")
            .when("repo-host").details("Like config-path, on the repository's host."),
        .global("repoN-host-config-include-path", .path, default: "/etc/pgbackstop/conf.d", all, "folder with additional files there")
            .when("repo-host").details("Like config-include-path, on the repository's host."),
        .global("repoN-host-cert-file", .string, all, "certificate to show to the repository's host")
            .when("repo-host-type", "tls").required().details("In PEM form.").unsupported(),
        .global("repoN-host-key-file", .string, all, "key of that certificate")
            .when("repo-host-type", "tls").required().details("In PEM form, readable for nobody else.").unsupported(),
        .global("repoN-host-ca-file", .string, all, "authorities that the repository's host is judged by")
            .when("repo-host-type", "tls").details("A bundle in PEM form; the system's own when unset.").unsupported(),
        .global("repoN-host-ca-path", .string, all, "folder of such authorities")
            .when("repo-host-type", "tls").details("Prepared as OpenSSL wants it.").unsupported(),
    ])

let serverOptions = OptionSpec.section(
    "TLS server",
    [
        .global("tls-server-address", .string, default: "localhost", Commands.serverAddress, "address to listen on")
            .details("* is all of them.").unsupported(),
        .global("tls-server-port", .port, default: "8432", Commands.serverAddress, "port to listen on").details("For hosts of both kinds.")
            .unsupported(),
        .global("tls-server-auth", .map, Commands.server, "who may do what").required()
            .details("NAME=STANZAS, repeatable: the name in a certificate and the stanzas it is for, * for all.").unsupported(),
        .global("tls-server-ca-file", .path, Commands.server, "authority that signs the clients").required()
            .details("In PEM form.").unsupported(),
        .global("tls-server-cert-file", .path, Commands.server, "certificate of the server").required()
            .details("In PEM form.").unsupported(),
        .global("tls-server-key-file", .path, Commands.server, "key of that certificate").required()
            .details("In PEM form, readable for nobody else.").unsupported(),
    ])
