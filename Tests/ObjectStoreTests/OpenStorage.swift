// The driver, opened from options as the program does it.

import BackstopCore
import BackstopDrivers
import EndToEndSupport
import Foundation

extension FaultProxy {
    /// A new path of the bucket, seen through the proxy.
    func storage(_ options: KeyValuePairs<String, String> = [:]) async throws -> any Storage {
        try await openObjectStore("/faults/\(UUID().uuidString)", port: port, options)
    }
}

/// A path of the bucket as the driver opens it; `options` as in a configuration file.
func openObjectStore(
    _ path: String, tls: Bool = false, port: Int? = nil, _ options: KeyValuePairs<String, String> = [:]
) async throws -> any Storage {
    try await openStorage(ObjectStore.shared.get().options(path: path, tls: tls, port: port) + options.map { ($0.key, $0.value) })
}

/// The repository that these options describe.
func openStorage(_ options: [(String, String)]) async throws -> any Storage {
    var registry = Registry()
    registerBuiltinDrivers(in: &registry)
    var values: [Options.Name: Options.Resolved] = [:]
    for (name, value) in options {
        let grouped = name.hasPrefix("repo1-")
        let key = Options.Name(grouped ? "repo-" + name.dropFirst(6) : name, grouped ? 1 : 0)
        let typed: OptionValue = value == "y" ? .flag(true) : Int64(value).map { .number($0) } ?? .text(value)
        values[key] = Options.Resolved(typed, .commandLine)
    }
    return try await registry.storage("s3").open(Options(values), 1, DriverContext(log: Log()))
}
