// Options of SFTP (cli.md section 1.3).

import BackstopCore

enum SFTPOptions {
    static let host = OptionKey<String?>(
        .global("repoN-sftp-host", .string, CommandSets.repository, "host").when("repo-type", "sftp").required().details(
            "A name or an address."))
    static let hostPort = OptionKey<Int>(
        .global("repoN-sftp-host-port", .port, default: "22", CommandSets.repository, "port").when("repo-type", "sftp").details(
            "Of the ssh server."))
    static let hostUser = OptionKey<String?>(
        .global("repoN-sftp-host-user", .string, CommandSets.repository, "login").when("repo-type", "sftp").required().details(
            "On that host."))
    static let privateKeyFile = OptionKey<String?>(
        .global("repoN-sftp-private-key-file", .string, CommandSets.repository, "private key").when("repo-type", "sftp").required().details(
            "A file."))
    static let privateKeyPassphrase = OptionKey<String?>(
        .global("repoN-sftp-private-key-passphrase", .string, CommandSets.repository, "passphrase of the private key").secret().when(
            "repo-type", "sftp"
        )
        .details("When the key has one."))
    static let publicKeyFile = OptionKey<String?>(
        .global("repoN-sftp-public-key-file", .string, CommandSets.repository, "public key").when("repo-type", "sftp").details(
            "A file; derived when unset."))
    static let hostKeyCheckType = OptionKey<String>(
        .global(
            "repoN-sftp-host-key-check-type", .choice(["accept-new", "fingerprint", "none", "strict"]), default: "strict",
            CommandSets.repository,
            "how the host is judged"
        )
        .when("repo-type", "sftp").details("By files of known hosts, by a fingerprint, or not at all."))
    static let hostKeyHashType = OptionKey<String?>(
        .global("repoN-sftp-host-key-hash-type", .choice(["md5", "sha1", "sha256"]), CommandSets.repository, "hash of the fingerprint")
            .when("repo-type", "sftp").required().details("Of the host's key."))
    static let hostFingerprint = OptionKey<String?>(
        .global("repoN-sftp-host-fingerprint", .string, CommandSets.repository, "fingerprint of the host")
            .when("repo-sftp-host-key-check-type", "fingerprint", "strict").details(
                "In hexadecimal. With strict it has to fit too, when it is given."))
    static let knownHost = OptionKey<[String]>(
        .global("repoN-sftp-known-host", .list, CommandSets.repository, "file of known hosts")
            .when("repo-sftp-host-key-check-type", "accept-new", "strict").details("Repeatable; the usual ones when unset."))

    static let specs: [OptionSpec] = OptionSpec.section(
        "SFTP",
        [
            host.spec, hostPort.spec, hostUser.spec, privateKeyFile.spec, privateKeyPassphrase.spec, publicKeyFile.spec,
            hostKeyCheckType.spec, hostKeyHashType.spec, hostFingerprint.spec, knownHost.spec,
        ])
}
