// Runs programs, and finds the golden repositories.

import Foundation

enum Shell {
    struct Failure: Error { var command: String, status: Int32, output: String }

    /// What `command` writes; throws when its status is not 0.
    @discardableResult
    static func run(_ command: String...) throws -> Data {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = command
        let output = Pipe()
        process.standardOutput = output
        process.standardError = output
        process.standardInput = FileHandle.nullDevice
        process.currentDirectoryURL = URL(fileURLWithPath: "/")
        try process.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw Failure(
                command: command.joined(separator: " "), status: process.terminationStatus, output: String(decoding: data, as: UTF8.self))
        }
        return data
    }
}

enum Golden {
    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("shared/spec/golden").path

    static var isPresent: Bool { FileManager.default.fileExists(atPath: folder) }

    /// One file of a golden repository, decompressed when its name says gz.
    static func file(_ repository: String, _ path: String) throws -> [UInt8] {
        let archive = "\(folder)/\(repository)/repo.tar.xz"
        let data =
            path.hasSuffix(".gz")
            ? try Shell.run("sh", "-c", "tar xJOf \(archive) \(path) | gzip -dc") : try Shell.run("tar", "xJOf", archive, path)
        return [UInt8](data)
    }
}
