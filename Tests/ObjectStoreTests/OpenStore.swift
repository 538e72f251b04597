// A storage of the S3 driver, opened from options as the program does.

import BackstopCore
import BackstopDrivers

func openStore(_ given: [(String, String)]) async throws -> any Storage {
    var registry = Registry()
    registerBuiltinDrivers(in: &registry)
    var values: [Options.Name: Options.Resolved] = [:]
    for (name, value) in given {
        let isOfRepository = name.hasPrefix("repo1-")
        values[Options.Name(isOfRepository ? "repo-\(name.dropFirst(6))" : name, isOfRepository ? 1 : 0)] = Options.Resolved(
            value == "y" ? .flag(true) : Int64(value).map { .number($0) } ?? .text(value), .commandLine)
    }
    return try await registry.storage("s3").open(Options(values), 1, DriverContext(log: Log()))
}
