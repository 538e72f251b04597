// Streams go to and come from the standard tools: gzip, bzip2, zstd, lz4 and openssl.

import BackstopConformance
import BackstopCore
import Foundation
import Testing

/// A command that turns its standard input into its standard output, as a shell command line.
struct Tool: Sendable, CustomTestStringConvertible {
    let subject: String
    let level: Int?
    let encode: String
    let decode: String
    /// Bytes that the tool wants in front of our streams, and which we want taken from its own.
    var prefix: [UInt8] = []

    init(_ subject: String, _ level: Int? = nil, encode: String, decode: String, prefix: [UInt8] = []) {
        self.subject = subject
        self.level = level
        self.encode = encode
        self.decode = decode
        self.prefix = prefix
    }

    var testDescription: String { "\(subject)\(level.map { " level \($0)" } ?? ""), \(encode)" }
    var program: String { String(encode.prefix { $0 != " " }) }

    func codec() throws -> any Codec {
        let parts = subject.split(separator: " ")
        let framing = parts[1] == "raw" ? Framing.raw : .normal
        guard let driver = registry.codecs[String(parts[0])] else {
            return try registry.cipher(String(parts[0])).open(CipherKeys(passphrase: passphrase), framing)
        }
        return try driver.open(level ?? driver.defaultLevel, framing)
    }
}

private let aes = "aes-256-cbc -md sha1 -pass pass:\(passphrase) 2>/dev/null"

let tools: [Tool] = [
    Tool("gz normal", encode: "gzip -c", decode: "gzip -dc"),
    Tool("gz normal", 1, encode: "gzip -1c", decode: "gzip -dc"),
    Tool("gz normal", 9, encode: "gzip -9c", decode: "gzip -dc"),
    // The only tool that is everywhere and knows zlib streams.
    Tool(
        "gz raw", encode: "python3 -c 'import sys,zlib; sys.stdout.buffer.write(zlib.compress(sys.stdin.buffer.read()))'",
        decode: "python3 -c 'import sys,zlib; sys.stdout.buffer.write(zlib.decompress(sys.stdin.buffer.read()))'"),
    Tool("bz2 normal", encode: "bzip2 -c", decode: "bzip2 -dc"),
    Tool("bz2 normal", 1, encode: "bzip2 -1c", decode: "bzip2 -dc"),
    Tool("zst normal", encode: "zstd -qc", decode: "zstd -qdc"),
    Tool("zst normal", -7, encode: "zstd -qc --fast=7", decode: "zstd -qdc"),
    Tool("zst raw", 19, encode: "zstd -qc -19 --no-check", decode: "zstd -qdc"),
    Tool("lz4 normal", encode: "lz4 -qc", decode: "lz4 -qdc"),
    Tool("lz4 normal", 12, encode: "lz4 -12 -qc -B7 -BX", decode: "lz4 -qdc"),
    Tool("lz4 raw", -5, encode: "lz4 -qc -B4 -BD --no-frame-crc", decode: "lz4 -qdc"),
    Tool("aes-256-cbc normal", encode: "openssl enc -e -\(aes)", decode: "openssl enc -d -\(aes)"),
    Tool("aes-256-cbc raw", encode: "openssl enc -e -\(aes)", decode: "openssl enc -d -\(aes)", prefix: Array("Salted__".utf8)),
]

/// Runs `input` through a shell command by way of two files, which no pipe's size can block.
private func run(_ command: String, _ input: [UInt8]) throws -> [UInt8] {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("backstop-tools-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try Data(input).write(to: folder.appendingPathComponent("in"))
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    process.arguments = ["-c", "\(command) <in >out"]
    process.currentDirectoryURL = folder
    try process.run()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0, "\(command) fails")
    return Array(try Data(contentsOf: folder.appendingPathComponent("out")))
}

private func flow(_ bytes: [UInt8], _ transform: any Transform) async throws -> [UInt8] {
    var flow = try Flow(BytesSource(bytes), Chain([.transform(transform)]))
    return try await flow.readAll()
}

@Suite struct ToolTests {
    @Test(arguments: tools)
    func bothWays(_ tool: Tool) async throws {
        let found = ["/usr/bin/", "/bin/", "/usr/local/bin/"].contains { FileManager.default.isExecutableFile(atPath: $0 + tool.program) }
        try #require(found, "\(tool.program) is not installed: scripts/install-packages test")
        let codec = try tool.codec()
        var random = Random(seed: freshSeed())
        for size in [0, 1, 15, 16, 100_000, 1_500_000] {
            let bytes = random.compressibleBytes(size)
            let ours = try await flow(bytes, try codec.encoder())
            #expect(try run(tool.decode, tool.prefix + ours) == bytes, "\(size) bytes of ours, decoded by the tool")
            let theirs = try run(tool.encode, bytes)
            #expect(theirs.starts(with: tool.prefix))
            let decoded = try await flow(Array(theirs.dropFirst(tool.prefix.count)), try codec.decoder())
            #expect(decoded == bytes, "\(size) bytes of the tool, decoded by us")
        }
    }

    /// A window of 128 MiB, the largest that level 22 asks for.
    @Test func largeWindow() async throws {
        var random = Random(seed: freshSeed())
        let bytes = random.compressibleBytes(300_000)
        let theirs = try run("zstd -qc --long=27 --zstd=hlog=17,clog=17", bytes)
        #expect(try await flow(theirs, try registry.codec("zst").open(3, .normal).decoder()) == bytes)
    }

    @Test(arguments: [("gzip", "gz"), ("bzip2", "bz2")])
    func severalMembersAreRefused(_ program: String, _ name: String) async throws {
        let member = try run("\(program) -c", fox)
        let decoder = try registry.codec(name).open(6, .normal).decoder()
        let error = await #expect(throws: BackupError.self) { _ = try await flow(member + member, decoder) }
        #expect(error?.code == .corrupt)
        #expect(error?.message.contains("after the end") == true)
    }
}
