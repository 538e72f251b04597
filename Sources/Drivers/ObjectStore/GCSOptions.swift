// Options of GCS, of which this version knows the names only (cli.md section 1.3).

import BackstopCore

enum GCSOptions {
    static let bucket = OptionKey<String?>(
        .global("repoN-gcs-bucket", .string, CommandSets.repository, "bucket").when("repo-gcs-key-type").required().details("Has to exist.")
    )
    static let keyType = OptionKey<String>(
        .global("repoN-gcs-key-type", .choice(["service", "token", "auto"]), default: "service", CommandSets.repository, "what the key is")
            .when(
                "repo-type", "gcs"
            )
            .details("The file of a service account, a token, or none because the host has an identity."))
    static let key = OptionKey<String?>(
        .global("repoN-gcs-key", .string, CommandSets.repository, "file of the key, or token").secret().when(
            "repo-gcs-key-type", "service", "token"
        )
        .required()
        .details("As repo-gcs-key-type says."))
    static let endpoint = OptionKey<String>(
        .global("repoN-gcs-endpoint", .string, default: "storage.googleapis.com", CommandSets.repository, "endpoint").when(
            "repo-gcs-key-type"
        )
        .details("Another one is for tests."))
    static let userProject = OptionKey<String?>(
        .global("repoN-gcs-user-project", .string, CommandSets.repository, "project that pays").details("For buckets of others."))

    static let specs: [OptionSpec] = OptionSpec.section(
        "GCS", isSupported: false,
        [bucket.spec, keyType.spec, key.spec, endpoint.spec, userProject.spec])
}
