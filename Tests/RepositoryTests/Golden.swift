// The golden repositories as bytes, and their block maps with what was found in them by hand.

import BackstopCodecs
import EndToEndSupport
import Foundation

@testable import BackstopCommands
@testable import BackstopCore

enum Golden {
    static func file(_ name: String, of repository: String = "tiny-none") throws -> [UInt8] {
        let archive = "\(Checkout.golden)/\(repository)/repo.tar.xz"
        return Array(try run(["tar", "xJOf", archive, "--wildcards", name], asRoot: true).output.utf8)
    }

    static func sha1() throws -> any Checksum { try registry().checksum("sha1").make() }

    /// With the codecs and ciphers of this build.
    static func registry() throws -> Registry {
        var registry = Registry()
        registerBuiltinCodecs(in: &registry)
        return registry
    }
}

/// An annotated block map: its bytes, what the manifest says of it and its table of blocks.
struct AnnotatedMap: Sendable, CustomStringConvertible {
    let description: String
    let bytes: [UInt8]
    let blockSize: UInt64
    let fileSize: UInt64
    let references: Int
    /// Columns ref, bundle, offset, stored, plain, number; then the checksum.
    let blocks: [([UInt64], String)]

    /// The one about a gap shows a part of a map only.
    static let names = [
        "map-1-full", "map-2-incr", "map-3-incr", "map-4-incr-truncate", "map-5-diff", "map-6-partial-last-block",
    ]

    init(_ name: String) throws {
        description = name
        let lines = try String(contentsOfFile: "\(Checkout.golden)/annotated/\(name).txt", encoding: .utf8).components(separatedBy: "\n")
        func rest(_ prefix: String) throws -> String {
            guard let line = lines.first(where: { $0.hasPrefix(prefix) }) else { throw Failure("\(name) has no line \(prefix)") }
            return String(line.dropFirst(prefix.count))
        }
        guard let entry = JSON(parsing: Array(try rest("manifest entry: ").utf8)), let units = entry["bi"]?.uint,
            let size = entry["size"]?.uint
        else { throw Failure("\(name) has no manifest entry") }
        blockSize = units * 8192
        fileSize = size
        references = try rest("backup-reference: ").components(separatedBy: ",").count
        let dump = lines.drop { !$0.hasPrefix("map bytes") }.dropFirst().prefix { !$0.isEmpty }
        let digits = dump.map { $0.dropFirst(8) }.joined()
        bytes = stride(from: 0, to: digits.count, by: 2).map { offset in
            let start = digits.index(digits.startIndex, offsetBy: offset)
            return UInt8(digits[start..<digits.index(start, offsetBy: 2)], radix: 16)!
        }
        blocks = lines.drop { !$0.hasPrefix("block  ref bundle") }.dropFirst().filter { !$0.isEmpty }.map { line in
            let columns = line.split(separator: " ")
            return (columns[1...6].map { UInt64($0)! }, String(columns[7]))
        }
    }

    func map(_ bytes: [UInt8]? = nil, references: Int? = nil) throws(BackupError) -> BlockMap {
        try BlockMap(bytes ?? self.bytes, blockSize: blockSize, checksumSize: 6, references: references ?? self.references)
    }
}

/// Always the same digest, so that changed files pass for signed ones.
final class FixedChecksum: Checksum {
    let digest = Digest([UInt8](repeating: 0, count: 20))
    func update(_ bytes: RawSpan) {}
    func finish() {}
    func reset() {}

    /// The file as somebody would sign it whose checksum this is.
    static func sign(_ file: [UInt8]) -> [UInt8] {
        let lines = file.split(separator: 10, omittingEmptySubsequences: false).map { line in
            line.starts(with: "backrest-checksum=".utf8)
                ? Array("backrest-checksum=\"\(String(repeating: "0", count: 40))\"".utf8) : Array(line)
        }
        return Array(lines.joined(separator: [10]))
    }
}
