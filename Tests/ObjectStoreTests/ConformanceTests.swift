// The S3 driver meets every check of the contract, on a real store.

import BackstopConformance
import BackstopCore
import EndToEndSupport
import Foundation
import Testing

/// Around a part of an upload, what goes in one request, and what takes many.
private let partSizes = [5 << 20, (5 << 20) + 1, (20 << 20) - 1, 20 << 20, (20 << 20) + 1, (25 << 20) + 1, (47 << 20) + 11]

enum ObjectStoreKind: String, CaseIterable {
    case seaweedFS = "SeaweedFS", seaweedFSByTLS = "SeaweedFS by TLS", seaweedFSByHTTP2 = "SeaweedFS by HTTP/2", moto

    private func open(_ path: String) async throws -> any Storage {
        switch self {
        case .seaweedFS: try await openObjectStore(path)
        case .seaweedFSByTLS: try await openObjectStore(path, tls: true)
        case .seaweedFSByHTTP2: try await openObjectStore(path, tls: true, ["repo1-storage-http2": "y"])
        case .moto: try await openStorage(MotoStore.shared.get().options(path: path))
        }
    }

    func subject() async throws -> StorageSubject {
        let path = "/conformance/\(UUID().uuidString)"
        var subject = StorageSubject(name: rawValue, storage: try await open(path), prefix: Key("checks"), life: .reduced) {
            (name) async throws(BackupError) in
            do { return try await open("\(path)-neighbours/\(name)") } catch { throw error as? BackupError ?? BackupError(.io, "\(error)") }
        }
        if self != .seaweedFSByTLS { subject.sizes += partSizes }
        // One takes a backslash for a slash, the other cannot answer to a line break.
        subject.namesNotKept = self == .moto ? ["two\nlines"] : ["back\\slash"]
        return subject
    }
}

@Suite(.servers) struct ObjectStoreConformanceTests {
    @Test(arguments: ObjectStoreKind.allCases, storageChecks)
    func storage(_ kind: ObjectStoreKind, _ check: Check<StorageSubject>) async throws {
        let subject = try await kind.subject()
        let verdict = try await check.run(on: subject)
        try await subject.storage.removeAll(.root)
        // The driver claims none of what not every store can do.
        try settle(verdict, check.name, lacking: ifAbsentChecks)
    }
}
