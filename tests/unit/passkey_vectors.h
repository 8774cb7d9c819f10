/*
 * passkey_vectors.h - ceremonies that others held: examples of the specification (RP ID example.org), and two whose keys and bytes were made
 * with Python's cryptography and which the npm package @simplewebauthn/server 14.0 verified. In hex; every challenge has 32 bytes.
 */
#ifndef TESTS_UNIT_PASSKEY_VECTORS_H
#define TESTS_UNIT_PASSKEY_VECTORS_H

struct passkey_vector {
    const char *name, *create_challenge, *create_json, *attestation;
    const char *get_challenge, *get_json, *authenticator_data, *signature; /* NULL: not given */
};

static const struct passkey_vector passkey_vectors[] = {
    {
        .name = "WebAuthn level 3, 16.2: ES256, no attestation",
        .create_challenge = "00c30fb78531c464d2b6771dab8d7b603c01162f2fa486bea70f283ae556e130",
        .create_json = "7b2274797065223a22776562617574686e2e637265617465222c226368616c6c656e676"
                       "5223a22414d4d"
                       "507434557878475453746e63647134313759447742466938767049612d7077386f4f755"
                       "657345441222c"
                       "226f726967696e223a2268747470733a2f2f6578616d706c652e6f7267222c2263726f7"
                       "3734f72696769"
                       "6e223a66616c73652c22657874726144617461223a22636c69656e74446174614a534f4"
                       "e206d61792062"
                       "6520657874656e6465642077697468206164646974696f6e616c206669656c647320696"
                       "e207468652066"
                       "75747572652c207375636820617320746869733a20426b5165446a64635442725842694"
                       "1774a544c4535"
                       "513d3d227d",
        .attestation = "a363666d74646e6f6e656761747453746d74a068617574684461746158a4bfabc374329"
                       "58b063360d3ad"
                       "6461c9c4735ae7f8edd46592a5e0f01452b2e4b559000000008446ccb9ab1db374750b2"
                       "367ff6f3a1f00"
                       "20f91f391db4c9b2fde0ea70189cba3fb63f579ba6122b33ad94ff3ec330084be4a5010"
                       "2032620012158"
                       "20afefa16f97ca9b2d23eb86ccb64098d20db90856062eb249c33a9b672f26df6122582"
                       "0930a56b87a2f"
                       "ca66334b03458abf879717c12cc68ed73290af2e2664796b9220",
        .get_challenge = "39c0e7521417ba54d43e8dc95174f423dee9bf3cd804ff6d65c857c9abf4d408",
        .get_json = "7b2274797065223a22776562617574686e2e676574222c226368616c6c656e6765223a224f"
                    "63446e5568"
                    "5158756c5455506f334a5558543049393770767a7a59425039745a63685879617630314167"
                    "222c226f72"
                    "6967696e223a2268747470733a2f2f6578616d706c652e6f7267222c2263726f73734f7269"
                    "67696e223a"
                    "66616c73657d",
        .authenticator_data =
            "bfabc37432958b063360d3ad6461c9c4735ae7f8edd46592a5e0f01452b2e4b51900000000",
        .signature = "3046022100f50a4e2e4409249c4a853ba361282f09841df4dd4547a13a87780218deffcd3"
                     "80221008480"
                     "ac0f0b93538174f575bf11a1dd5d78c6e486013f937295ea13653e331e87",
    },
    {
        .name = "WebAuthn level 3, 16.3: ES256, self attestation",
        .create_challenge = "7869c2b772d4b58eba9378cf8f29e26cf935aa77df0da89fa99c0bdc0a76f7e5",
        .create_json = "7b2274797065223a22776562617574686e2e637265617465222c226368616c6c656e676"
                       "5223a2265476e"
                       "4374334c55745936366b336a506a796e6962506b31716e666644616966715a774c33417"
                       "032392d55222c"
                       "226f726967696e223a2268747470733a2f2f6578616d706c652e6f7267222c2263726f7"
                       "3734f72696769"
                       "6e223a66616c73652c22657874726144617461223a22636c69656e74446174614a534f4"
                       "e206d61792062"
                       "6520657874656e6465642077697468206164646974696f6e616c206669656c647320696"
                       "e207468652066"
                       "75747572652c207375636820617320746869733a205539685458764b453255526b4d6e6"
                       "25f3078594856"
                       "673d3d227d",
        .attestation = "a363666d74667061636b65646761747453746d74a263616c67266373696758483046022"
                       "100ae045923de"
                       "d832b844cae4d5fc864277c0dc114ad713e271af0f0d371bd3ac540221009077a088ed5"
                       "1a673951ad3ba"
                       "2673d5029bab65b64f4ea67b234321f86fcfac5d68617574684461746158a4bfabc3743"
                       "2958b063360d3"
                       "ad6461c9c4735ae7f8edd46592a5e0f01452b2e4b55d00000000df850e09db6afbdfab5"
                       "1697791506cfc"
                       "0020455ef34e2043a87db3d4afeb39bbcb6cc32df9347c789a865ecdca129cbef58ca50"
                       "1020326200121"
                       "5820eb151c8176b225cc651559fecf07af450fd85802046656b34c18f6cf193843c5225"
                       "820927b8aa427"
                       "a2be1b8834d233a2d34f61f13bfd44119c325d5896e183fee484f2",
        .get_challenge = NULL,
        .get_json = NULL,
        .authenticator_data = NULL,
        .signature = NULL,
    },
    {
        .name = "another program: ES256, an extension",
        .create_challenge = "6645596345fe2efb9fc25d2a62fa2467a810b7f1bddb387d27b32fa5ae5925ea",
        .create_json = "7b2274797065223a22776562617574686e2e637265617465222c226368616c6c656e676"
                       "5223a225a6b56"
                       "5a5930582d4c767566776c307159766f6b5a366751745f4739327a68394a374d7670613"
                       "55a4a656f222c"
                       "226f726967696e223a2268747470733a2f2f6578616d706c652e6f7267222c2263726f7"
                       "3734f72696769"
                       "6e223a66616c73657d",
        .attestation = "a363666d74646e6f6e656761747453746d74a068617574684461746158babfabc374329"
                       "58b063360d3ad"
                       "6461c9c4735ae7f8edd46592a5e0f01452b2e4b5dd000000035acddd01556a63d130f03"
                       "36f52f0c6e300"
                       "28e2c91245f27251f9b9f21f05fed874c5780e617477489a2e1516d06fe754b2132e813"
                       "6205731c7d3a5"
                       "010203262001215820d654b81604a116512fbe9b975f28a9a738621c2cfe7f1451ebb92"
                       "997d9a8512422"
                       "5820ee3f52de690249f5fb6a5e2d970782df5ad1542c3c6a0c90ac93a965686d073ba16"
                       "b637265645072"
                       "6f7465637402",
        .get_challenge = "1449379a6cdea14d063f3cd403bf4e14712515866a014917f5fdf1734897e95e",
        .get_json = "7b2274797065223a22776562617574686e2e676574222c226368616c6c656e6765223a2246"
                    "456b336d6d"
                    "7a656f553047507a7a554137394f4648456c46595a7141556b583966337863306958365634"
                    "222c226f72"
                    "6967696e223a2268747470733a2f2f6578616d706c652e6f7267222c2263726f73734f7269"
                    "67696e223a"
                    "66616c73657d",
        .authenticator_data =
            "bfabc37432958b063360d3ad6461c9c4735ae7f8edd46592a5e0f01452b2e4b51d00000004",
        .signature = "3045022100874228d00918068f968a0659214260e9a22b9fd75e15cefa07390ac83354730"
                     "b0220371167"
                     "61f69d1f7311e473b65dc2c7ba30e6be35b39e9716fc4bec5f6aac2af3",
    },
    {
        .name = "another program: RS256",
        .create_challenge = "d784bf390d50df497c0d96852dedb27f196679c20baa22e1d785fb39f5aa733e",
        .create_json = "7b2274797065223a22776562617574686e2e637265617465222c226368616c6c656e676"
                       "5223a22313453"
                       "5f4f51315133306c38445a61464c65327966786c6d6563494c71694c68313458374f665"
                       "771637a34222c"
                       "226f726967696e223a2268747470733a2f2f6578616d706c652e6f7267222c2263726f7"
                       "3734f72696769"
                       "6e223a66616c73657d",
        .attestation = "a363666d74646e6f6e656761747453746d74a068617574684461746159016fbfabc3743"
                       "2958b063360d3"
                       "ad6461c9c4735ae7f8edd46592a5e0f01452b2e4b54500000003be46c43e67823c77532"
                       "3dee3304d7c04"
                       "00288029dbefd215ab9460e0fea4a586c63b9c8d5d3bd357d2f99d9ceef3cee16fb1688"
                       "161e0c323fd6f"
                       "a401030339010020590100b85fe0ecc9c36b296155dcdc5511cbbb072fe03d559a84445"
                       "da00953717da8"
                       "432786777e2d97462742ea32e129aace713c4f551302f6f2ec0792e5f8629211ca9b0ec"
                       "06f13f4145c08"
                       "1c623543c64a0f7fc87b25f4935033e9e9424d87cd5e0c41268545da8d01a9fc7426520"
                       "df417a443b003"
                       "f3f2be0f3f8e59ed40213deb732d5a7ccf64007dccfe749169c0359a4332535b1069ca2"
                       "a2a38951d9787"
                       "706476e08b668d0caaf8dda0f829756690c8b54f09ad08d59509f3f7e12e5496345e4be"
                       "1760e22512974"
                       "ccc080a9325cab537e601ace8be538e32f6b4788c9dbd3891b197bb2cfed9aae80fd624"
                       "d07cdf36e1159"
                       "ee6733b0f9f461e04574ae2b109c672143010001",
        .get_challenge = "6f812ac36b1d355b4783bc0e668812da985dc6298de151e1a59a3f878158772b",
        .get_json = "7b2274797065223a22776562617574686e2e676574222c226368616c6c656e6765223a2262"
                    "3445717732"
                    "73644e5674486737774f5a6f67533270686478696d4e34564868705a6f5f68344659647973"
                    "222c226f72"
                    "6967696e223a2268747470733a2f2f6578616d706c652e6f7267222c2263726f73734f7269"
                    "67696e223a"
                    "66616c73657d",
        .authenticator_data =
            "bfabc37432958b063360d3ad6461c9c4735ae7f8edd46592a5e0f01452b2e4b50500000004",
        .signature = "a316b7ed95fd0209c1d214a7ed8e9c28d9445072aa7caa51c374c571d4a1a0e18318e94d7"
                     "938cf932e53"
                     "da67240f6237fdc98b48a971ce4051c1f33cce31ad33749e4459623dbd15cbb24a6714672"
                     "357ee5e0ccf"
                     "31efef4c6221bf759b1e1249e0fd4ef8cb476b63ccdf0b602975ea27fc4143b72d8b838f3"
                     "db5b701336a"
                     "b24b54ad163e2a6e3b42d54f696a653a095b3c4633c0180445c979fdfc1640ec13dc98861"
                     "7d2eb86a145"
                     "5c8bd39c95fd6ba027e795a4a27c1bd261445f3c15b4f9bf66140972fe7ac5480223c84ae"
                     "6c67933c829"
                     "f3aa6dc596ffb2cc64f3dbfee9d5bae16fcefa3ad0c1ff4c576e183a416ec54c731a33284"
                     "1eff49c84a0"
                     "0bb6ccb1",
    },
};

#endif
