import EndToEndSupport
import Testing

/// The choice of which features are tested on which kinds of repository leaves no gap.
struct FeatureTests {
    @Test(arguments: [1, 2, 5, 12])
    func everyKindMeetsEverything(_ kinds: Int) {
        let choice = Feature.choose(kinds: kinds)
        for kind in 0..<kinds {
            let features = Feature.allCases.filter { choice[$0]?.contains(kind) == true }
            #expect(Set(features.flatMap(\.commands)) == Set(Feature.Command.allCases), "commands on kind \(kind)")
            #expect(Set(features.map(\.circumstance)) == Set(Feature.Circumstance.allCases), "circumstances on kind \(kind)")
            #expect(Set(features.flatMap(\.deeds)) == Set(Feature.Deed.allCases), "deeds on kind \(kind)")
            #expect(Set(features).count == features.count)
        }
        // No feature is tested in folders of this host only, and none costs the product.
        #expect(Feature.allCases.allSatisfy { choice[$0]?.isEmpty == false })
        #expect(choice.values.map(\.count).reduce(0, +) <= Feature.allCases.count + kinds * 4)
    }

    /// As the tests are run: each driver has every kind of backup and restore, by name.
    @Test(arguments: ["s3 with TLS", "ssh", "pulled", "sftp", "a driver in Python"], Feature.Deed.allCases)
    func everyDeedOnEveryDriver(_ kind: String, _ deed: Feature.Deed) {
        #expect(Feature.allCases.contains { $0.deeds.contains(deed) && $0.others.map(\.description).contains(kind) })
    }

    @Test func theFolderIsAlwaysThere() {
        for feature in Feature.allCases {
            let kinds = feature.kinds.map(\.description)
            #expect(kinds.first == "posix" && Set(kinds).count == kinds.count)
        }
    }
}
