// Options of object stores and SFTP (cli.md section 1.3). Of Azure and GCS this version knows the names only.

import BackstopCore

private let all = Commands.repository
private let style = OptionSpec.Kind.choice(["host", "path"])

let objectStoreOptions = OptionSpec.section(
    "Object store",
    [
        .global("repoN-storage-host", .string, all, "host to connect to in place of the endpoint")
            .when("repo-type", "azure", "s3")
            .oldNames("repo-s3-host", "repoN-s3-host", "repoN-azure-host").details("A proxy, or a store of your own."),
        .global("repoN-storage-port", .port, default: "443", all, "port to connect to")
            .when("repo-type", "azure", "s3").oldNames("repoN-s3-port", "repoN-azure-port").details("Of the endpoint or storage host."),
        .global("repoN-storage-verify-tls", .boolean, default: "y", all, "check the certificate of the store")
            .when("repo-type", "azure", "gcs", "s3")
            .oldNames("repo-s3-verify-ssl", "repoN-s3-verify-ssl", "repoN-s3-verify-tls", "repoN-azure-verify-tls")
            .details("n is for tests only."),
        .global("repoN-storage-http2", .boolean, default: "n", all, "speak HTTP/2 where the store offers it")
            .when("repo-type", "s3").details("Fewer connections, shared by all transfers; large objects are usually faster without."),
        .global("repoN-storage-ca-file", .string, all, "authorities that the store is judged by")
            .when("repo-type", "azure", "gcs", "s3").oldNames("repo-s3-ca-file", "repoN-s3-ca-file", "repoN-azure-ca-file")
            .details("A bundle in PEM form; the system's own when unset."),
        .global("repoN-storage-ca-path", .path, all, "folder of such authorities")
            .when("repo-type", "azure", "gcs", "s3").oldNames("repo-s3-ca-path", "repoN-s3-ca-path", "repoN-azure-ca-path")
            .details("Prepared as OpenSSL wants it."),
        .global("repoN-storage-tag", .map, all, "tag that objects get")
            .when("repo-type", "azure", "gcs", "s3").details("KEY=VALUE, repeatable."),
        .global("repoN-storage-upload-chunk-size", .size(4 * MiB...GiB), all, "size of the parts of an upload")
            .when("repo-type", "azure", "gcs", "s3")
            .defaultsByDependency(["azure": "4MiB", "gcs": "4MiB", "s3": "5MiB"])
            .rangesByDependency(["s3": 5 * MiB...GiB]).details("Limits the size of an object, because the number of parts is limited."),
        .global("repoN-storage-prefetch", .integer(0...1024), default: "3", all, "requests sent ahead of reading")
            .when("repo-type", "azure", "gcs", "s3").details("0 sends none."),
        .global("repoN-storage-read-over", .size(0...MiB), default: "64KiB", all, "gap that is read rather than skipped")
            .when("repo-type", "azure", "gcs", "s3").details("A new request costs more than a few bytes too many."),
    ])

let s3Options = OptionSpec.section(
    "S3",
    [
        .global("repoN-s3-bucket", .string, all, "bucket").when("repo-type", "s3").required().oldNames("repo-s3-bucket")
            .details("Has to exist."),
        .global("repoN-s3-endpoint", .string, all, "endpoint").when("repo-type", "s3").required().oldNames("repo-s3-endpoint")
            .details("For example s3.eu-central-1.amazonaws.com."),
        .global("repoN-s3-region", .string, all, "region").when("repo-type", "s3").required().oldNames("repo-s3-region")
            .details("Part of each signature."),
        .global(
            "repoN-s3-key-type", .choice(["shared", "auto", "web-id", "pod-id", "process"]), default: "shared", all,
            "where the keys come from"
        )
        .when("repo-type", "s3").details("From the configuration, the instance, a token, the pod or a program."),
        .global("repoN-s3-key", .string, all, "access key").secret().when("repo-s3-key-type", "shared").required().oldNames("repo-s3-key")
            .details("The half that names the account."),
        .global("repoN-s3-key-secret", .string, all, "secret of the access key").secret().when("repo-s3-key-type", "shared").required()
            .oldNames("repo-s3-key-secret").details("The half that signs."),
        .global("repoN-s3-token", .string, all, "session token").secret().when("repo-s3-key-type", "shared")
            .details("Goes with keys that are valid for a while only."),
        .global("repoN-s3-role", .string, all, "role of the instance").when("repo-s3-key-type", "auto").details(
            "The first one when unset."),
        .global("repoN-s3-process-cmd", .list, all, "program that tells the keys").when("repo-s3-key-type", "process").required()
            .details("Repeatable: the program, then its arguments."),
        .global("repoN-s3-sts-host", .string, default: "sts.amazonaws.com", all, "token service").when("repo-s3-key-type", "web-id")
            .details("Changes a token into keys."),
        .global("repoN-s3-uri-style", style, default: "host", all, "where the bucket's name goes").when("repo-type", "s3")
            .details("Into the host name or into the path."),
        .global("repoN-s3-kms-key-id", .string, all, "key of the key service").when("repo-type", "s3").details(
            "The store encrypts with it."),
        .global("repoN-s3-sse-customer-key", .string, all, "key that the store encrypts with").secret().when("repo-type", "s3")
            .details("Sent with each request."),
        .global("repoN-s3-requester-pays", .boolean, default: "n", all, "pay for the requests").when("repo-type", "s3")
            .details("For buckets of others."),
        .global("repoN-s3-service", .string, default: "s3", all, "service name in signatures").when("repo-type", "s3")
            .details("Other stores may want another."),
        .global("repoN-s3-object-lock", .choice(["none", "governance", "compliance"]), default: "none", all, "lock of new objects")
            .when("repo-type", "s3")
            .details("Nobody removes or replaces a locked object before its time. The bucket must have object lock enabled."),
        .global("repoN-s3-object-lock-days", .integer(1...36_500), all, "how long new objects are locked")
            .when("repo-s3-object-lock", "governance", "compliance").required().details("In days."),
    ])

let azureOptions = OptionSpec.section(
    "Azure", isSupported: false,
    [
        .global("repoN-azure-account", .string, all, "account").secret().when("repo-type", "azure").required().details("Storage account."),
        .global("repoN-azure-container", .string, all, "container").when("repo-type", "azure").required().details("Has to exist."),
        .global("repoN-azure-key-type", .choice(["shared", "sas", "auto"]), default: "shared", all, "what the key is").when(
            "repo-type", "azure"
        )
        .details("A key of the account, a signature, or none because the host has an identity."),
        .global("repoN-azure-key", .string, all, "key or signature").secret().when("repo-azure-key-type", "shared", "sas")
            .details("As repo-azure-key-type says."),
        .global("repoN-azure-endpoint", .string, default: "blob.core.windows.net", all, "endpoint").secret().when("repo-type", "azure")
            .details("Differs in national clouds."),
        .global("repoN-azure-uri-style", style, default: "host", all, "where the account's name goes").when("repo-type", "azure")
            .details("Into the host name or into the path."),
    ])

let gcsOptions = OptionSpec.section(
    "GCS", isSupported: false,
    [
        .global("repoN-gcs-bucket", .string, all, "bucket").when("repo-gcs-key-type").required().details("Has to exist."),
        .global("repoN-gcs-key-type", .choice(["service", "token", "auto"]), default: "service", all, "what the key is").when(
            "repo-type", "gcs"
        )
        .details("The file of a service account, a token, or none because the host has an identity."),
        .global("repoN-gcs-key", .string, all, "file of the key, or token").secret().when("repo-gcs-key-type", "service", "token")
            .required()
            .details("As repo-gcs-key-type says."),
        .global("repoN-gcs-endpoint", .string, default: "storage.googleapis.com", all, "endpoint").when("repo-gcs-key-type")
            .details("Another one is for tests."),
        .global("repoN-gcs-user-project", .string, all, "project that pays").details("For buckets of others."),
    ])

let sftpOptions = OptionSpec.section(
    "SFTP",
    [
        .global("repoN-sftp-host", .string, all, "host").when("repo-type", "sftp").required().details("A name or an address."),
        .global("repoN-sftp-host-port", .port, default: "22", all, "port").when("repo-type", "sftp").details("Of the ssh server."),
        .global("repoN-sftp-host-user", .string, all, "login").when("repo-type", "sftp").required().details("On that host."),
        .global("repoN-sftp-private-key-file", .string, all, "private key").when("repo-type", "sftp").required().details("A file."),
        .global("repoN-sftp-private-key-passphrase", .string, all, "passphrase of the private key").secret().when("repo-type", "sftp")
            .details("When the key has one."),
        .global("repoN-sftp-public-key-file", .string, all, "public key").when("repo-type", "sftp").details("A file; derived when unset."),
        .global(
            "repoN-sftp-host-key-check-type", .choice(["accept-new", "fingerprint", "none", "strict"]), default: "strict", all,
            "how the host is judged"
        )
        .when("repo-type", "sftp").details("By files of known hosts, by a fingerprint, or not at all."),
        .global("repoN-sftp-host-key-hash-type", .choice(["md5", "sha1", "sha256"]), all, "hash of the fingerprint")
            .when("repo-type", "sftp").required().details("Of the host's key."),
        .global("repoN-sftp-host-fingerprint", .string, all, "fingerprint of the host")
            .when("repo-sftp-host-key-check-type", "fingerprint", "strict").details(
                "In hexadecimal. With strict it has to fit too, when it is given."),
        .global("repoN-sftp-known-host", .list, all, "file of known hosts")
            .when("repo-sftp-host-key-check-type", "accept-new", "strict").details("Repeatable; the usual ones when unset."),
    ])
