// Options of Azure, of which this version knows the names only (cli.md section 1.3).

import BackstopCore

enum AzureOptions {
    static let account = OptionKey<String?>(
        .global("repoN-azure-account", .string, CommandSets.repository, "account").secret().when("repo-type", "azure").required().details(
            "Storage account."))
    static let container = OptionKey<String?>(
        .global("repoN-azure-container", .string, CommandSets.repository, "container").when("repo-type", "azure").required().details(
            "Has to exist."))
    static let keyType = OptionKey<String>(
        .global("repoN-azure-key-type", .choice(["shared", "sas", "auto"]), default: "shared", CommandSets.repository, "what the key is")
            .when(
                "repo-type", "azure"
            )
            .details("A key of the account, a signature, or none because the host has an identity."))
    static let key = OptionKey<String?>(
        .global("repoN-azure-key", .string, CommandSets.repository, "key or signature").secret().when(
            "repo-azure-key-type", "shared", "sas"
        )
        .details("As repo-azure-key-type says."))
    static let endpoint = OptionKey<String>(
        .global("repoN-azure-endpoint", .string, default: "blob.core.windows.net", CommandSets.repository, "endpoint").secret().when(
            "repo-type", "azure"
        )
        .details("Differs in national clouds."))
    static let uriStyle = OptionKey<String>(
        .global(
            "repoN-azure-uri-style", .choice(["host", "path"]), default: "host", CommandSets.repository, "where the account's name goes"
        ).when("repo-type", "azure")
            .details("Into the host name or into the path."))

    static let specs: [OptionSpec] = OptionSpec.section(
        "Azure", isSupported: false,
        [account.spec, container.spec, keyType.spec, key.spec, endpoint.spec, uriStyle.spec])
}
