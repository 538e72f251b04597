// Options that all object stores share (cli.md section 1.3).

public import BackstopCore

/// What all object stores have.
public enum ObjectStoreOptions {
    public static let host = OptionKey<String?>(
        .global("repoN-storage-host", .string, CommandSets.repository, "host to connect to in place of the endpoint")
            .when("repo-type", "azure", "s3")
            .oldNames("repo-s3-host", "repoN-s3-host", "repoN-azure-host").details("A proxy, or a store of your own."))
    public static let port = OptionKey<Int>(
        .global("repoN-storage-port", .port, default: "443", CommandSets.repository, "port to connect to")
            .when("repo-type", "azure", "s3").oldNames("repoN-s3-port", "repoN-azure-port").details("Of the endpoint or storage host."))
    public static let verifyTLS = OptionKey<Bool>(
        .global("repoN-storage-verify-tls", .boolean, default: "y", CommandSets.repository, "check the certificate of the store")
            .when("repo-type", "azure", "gcs", "s3")
            .oldNames("repo-s3-verify-ssl", "repoN-s3-verify-ssl", "repoN-s3-verify-tls", "repoN-azure-verify-tls")
            .details("n is for tests only."))
    public static let http2 = OptionKey<Bool>(
        .global("repoN-storage-http2", .boolean, default: "n", CommandSets.repository, "speak HTTP/2 where the store offers it")
            .when("repo-type", "s3").details("Fewer connections, shared by all transfers; large objects are usually faster without."))
    public static let caFile = OptionKey<String?>(
        .global("repoN-storage-ca-file", .string, CommandSets.repository, "authorities that the store is judged by")
            .when("repo-type", "azure", "gcs", "s3").oldNames("repo-s3-ca-file", "repoN-s3-ca-file", "repoN-azure-ca-file")
            .details("A bundle in PEM form; the system's own when unset."))
    public static let caPath = OptionKey<String?>(
        .global("repoN-storage-ca-path", .path, CommandSets.repository, "folder of such authorities")
            .when("repo-type", "azure", "gcs", "s3").oldNames("repo-s3-ca-path", "repoN-s3-ca-path", "repoN-azure-ca-path")
            .details("Prepared as OpenSSL wants it."))
    public static let tag = OptionKey<[String: String]>(
        .global("repoN-storage-tag", .map, CommandSets.repository, "tag that objects get")
            .when("repo-type", "azure", "gcs", "s3").details("KEY=VALUE, repeatable."))
    public static let uploadChunkSize = OptionKey<Int?>(
        .global("repoN-storage-upload-chunk-size", .size(4 * MiB...GiB), CommandSets.repository, "size of the parts of an upload")
            .when("repo-type", "azure", "gcs", "s3")
            .defaultsByDependency(["azure": "4MiB", "gcs": "4MiB", "s3": "5MiB"])
            .rangesByDependency(["s3": 5 * MiB...GiB]).details("Limits the size of an object, because the number of parts is limited."))
    public static let prefetch = OptionKey<Int>(
        .global("repoN-storage-prefetch", .integer(0...1024), default: "3", CommandSets.repository, "requests sent ahead of reading")
            .when("repo-type", "azure", "gcs", "s3").details("0 sends none."))

    /// All of them, for the option table: a key that is missing here is no option.
    public static let specs: [OptionSpec] = OptionSpec.section(
        "Object store",
        [host.spec, port.spec, verifyTLS.spec, http2.spec, caFile.spec, caPath.spec, tag.spec, uploadChunkSize.spec, prefetch.spec])
}
