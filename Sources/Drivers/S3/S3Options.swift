// Options of S3 (cli.md section 1.3).

import BackstopCore

enum S3Options {
    static let bucket = OptionKey<String?>(
        .global("repoN-s3-bucket", .string, CommandSets.repository, "bucket").when("repo-type", "s3").required().oldNames("repo-s3-bucket")
            .details("Has to exist."))
    static let endpoint = OptionKey<String?>(
        .global("repoN-s3-endpoint", .string, CommandSets.repository, "endpoint").when("repo-type", "s3").required().oldNames(
            "repo-s3-endpoint"
        )
        .details("For example s3.eu-central-1.amazonaws.com."))
    static let region = OptionKey<String?>(
        .global("repoN-s3-region", .string, CommandSets.repository, "region").when("repo-type", "s3").required().oldNames("repo-s3-region")
            .details("Part of each signature."))
    static let keyType = OptionKey<String>(
        .global(
            "repoN-s3-key-type", .choice(["shared", "auto", "web-id", "pod-id", "process"]), default: "shared", CommandSets.repository,
            "where the keys come from"
        )
        .when("repo-type", "s3").details("From the configuration, the instance, a token, the pod or a program."))
    static let key = OptionKey<String?>(
        .global("repoN-s3-key", .string, CommandSets.repository, "access key").secret().when("repo-s3-key-type", "shared").required()
            .oldNames("repo-s3-key")
            .details("The half that names the account."))
    static let keySecret = OptionKey<String?>(
        .global("repoN-s3-key-secret", .string, CommandSets.repository, "secret of the access key").secret().when(
            "repo-s3-key-type", "shared"
        ).required()
            .oldNames("repo-s3-key-secret").details("The half that signs."))
    static let token = OptionKey<String?>(
        .global("repoN-s3-token", .string, CommandSets.repository, "session token").secret().when("repo-s3-key-type", "shared")
            .details("Goes with keys that are valid for a while only."))
    static let role = OptionKey<String?>(
        .global("repoN-s3-role", .string, CommandSets.repository, "role of the instance").when("repo-s3-key-type", "auto").details(
            "The first one when unset."))
    static let processCmd = OptionKey<[String]>(
        .global("repoN-s3-process-cmd", .list, CommandSets.repository, "program that tells the keys").when("repo-s3-key-type", "process")
            .required()
            .details("Repeatable: the program, then its arguments."))
    static let stsHost = OptionKey<String>(
        .global("repoN-s3-sts-host", .string, default: "sts.amazonaws.com", CommandSets.repository, "token service").when(
            "repo-s3-key-type", "web-id"
        )
        .details("Changes a token into keys."))
    static let uriStyle = OptionKey<String>(
        .global("repoN-s3-uri-style", .choice(["host", "path"]), default: "host", CommandSets.repository, "where the bucket's name goes")
            .when("repo-type", "s3")
            .details("Into the host name or into the path."))
    static let kmsKeyID = OptionKey<String?>(
        .global("repoN-s3-kms-key-id", .string, CommandSets.repository, "key of the key service").when("repo-type", "s3").details(
            "The store encrypts with it."))
    static let sseCustomerKey = OptionKey<String?>(
        .global("repoN-s3-sse-customer-key", .string, CommandSets.repository, "key that the store encrypts with").secret().when(
            "repo-type", "s3"
        )
        .details("Sent with each request."))
    static let requesterPays = OptionKey<Bool>(
        .global("repoN-s3-requester-pays", .boolean, default: "n", CommandSets.repository, "pay for the requests").when("repo-type", "s3")
            .details("For buckets of others."))
    static let service = OptionKey<String>(
        .global("repoN-s3-service", .string, default: "s3", CommandSets.repository, "service name in signatures").when("repo-type", "s3")
            .details("Other stores may want another."))
    static let objectLock = OptionKey<String>(
        .global(
            "repoN-s3-object-lock", .choice(["none", "governance", "compliance"]), default: "none", CommandSets.repository,
            "lock of new objects"
        )
        .when("repo-type", "s3")
        .details("Nobody removes or replaces a locked object before its time. The bucket must have object lock enabled."))
    static let objectLockDays = OptionKey<Int?>(
        .global("repoN-s3-object-lock-days", .integer(1...36_500), CommandSets.repository, "how long new objects are locked")
            .when("repo-s3-object-lock", "governance", "compliance").required().details("In days."))

    static let specs: [OptionSpec] = OptionSpec.section(
        "S3",
        [
            bucket.spec, endpoint.spec, region.spec, keyType.spec, key.spec, keySecret.spec, token.spec, role.spec, processCmd.spec,
            stsHost.spec, uriStyle.spec, kmsKeyID.spec, sseCustomerKey.spec, requesterPays.spec, service.spec, objectLock.spec,
            objectLockDays.spec,
        ])
}
