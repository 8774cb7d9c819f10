/*
 * jwt_vectors.h - statements that others signed: the examples of RFC 7515, appendices A.2 and A.3, and what the npm package jose 6.2 made
 * (its claims: nonce, name, iss, aud, sub, iat 1763712000, exp 1763712600).
 */
#ifndef TESTS_UNIT_JWT_VECTORS_H
#define TESTS_UNIT_JWT_VECTORS_H

static const char rfc_rs256_keys[] =
    "{\"keys\":[{\"kty\":\"RSA\",\"n\":\"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0"
    "l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b"
    "32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2"
    "R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9ia"
    "GNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ\",\"e\":\"AQAB\"}]}";
static const char rfc_rs256[] =
    "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGF"
    "tcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu"
    "3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdi"
    "uB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--x"
    "i12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5A"
    "XLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
static const char rfc_es256_keys[] =
    "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8"
    "Tus9uPHvRVEU\",\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}]}";
static const char rfc_es256[] =
    "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGF"
    "tcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw"
    "5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
static const char jose_keys[] =
    "{\"keys\":[{\"kty\":\"EC\",\"x\":\"dD122XLjo9ZTcRhDk6eNx0ALdPF5iTjlW9d7ytNCtIk\",\"y"
    "\":\"pEFlJOubLWFwurLrGujvS669v1LQbfOoQHF_2xgrjHI\",\"crv\":\"P-256\",\"kid\":\"n5rnM"
    "UcdnzOT-1PPEOBLsftQ71gcdPizojl26pfM3PE\",\"alg\":\"ES256\",\"use\":\"sig\"},{\"kty\""
    ":\"RSA\",\"n\":\"o1T9XKEWd4yHlHVhp5Z3aGB-8-FkGnplNOZseLAmDKVb4RSM8i6DZXsXTNjomzr1iFb"
    "91Q0zboni_SvENmEv-hiWgRPKlOK2xn7ohZPPDDC6OJf57Gi_G3WG3NoAMrEK3Xf_1pBijv77Suts09NqjeK"
    "iYyanhyx2Ozw77_KfbrZ1tAkko_HA-jpAkaogdrJQBacMNcPkgW6OIGJ-x3jyYqbgZln71NdAPLC8nCzxkD6"
    "JTFlOKmL9n3LTO2kNUywAfGhx5tzGHGTKntuPf-d15WEwWQoVw3HTCaYV7M0AzptUK9TF7T9Lx2ZiXvnNaZH"
    "Wqec6l_h2lacWrBCeyK8mTw\",\"e\":\"AQAB\",\"kid\":\"2026-rsa\",\"alg\":\"RS256\",\"us"
    "e\":\"sig\"}]}";
static const char jose_es256[] =
    "eyJhbGciOiJFUzI1NiIsImtpZCI6Im41cm5NVWNkbnpPVC0xUFBFT0JMc2Z0UTcxZ2NkUGl6b2psMjZwZk0z"
    "UEUiLCJ0eXAiOiJKV1QifQ.eyJub25jZSI6Im4tMFM2X1d6QTJNaiIsIm5hbWUiOiLmnY7mmI4iLCJpc3MiO"
    "iJodHRwczovL2xvZ2luLnRqLmdvdi5jbiIsImF1ZCI6InRqenciLCJzdWIiOiIzIiwiaWF0IjoxNzYzNzEyM"
    "DAwLCJleHAiOjE3NjM3MTI2MDB9.PzKcEnlxpR8NwQ48K1x1gladm7jotIORLKPqTfL_AqYrLYNAQ8ZAtA6U"
    "ly20sQujho6GJk_LBHsyDQ8vPcH_Hg";
static const char jose_rs256[] =
    "eyJhbGciOiJSUzI1NiIsImtpZCI6IjIwMjYtcnNhIiwidHlwIjoiSldUIn0.eyJub25jZSI6Im4tMFM2X1d6"
    "QTJNaiIsIm5hbWUiOiLmnY7mmI4iLCJpc3MiOiJodHRwczovL2xvZ2luLnRqLmdvdi5jbiIsImF1ZCI6InRq"
    "enciLCJzdWIiOiIzIiwiaWF0IjoxNzYzNzEyMDAwLCJleHAiOjE3NjM3MTI2MDB9.YdRcgyzIB4qcPmmHRdz"
    "SSPvdxOs-V_kIpZQKT5VSpTVyDbGV0qh-mCo6xIaYuLhmLbnSH2KJ5hg5QfNqd8Yzm9_goyADESYYRt7hZd6"
    "BG1E9XQ94YOdx8EAEgwYvzWxfruTR6ReASCK5ypSZdkG-RZnG8iFLGRuCjbKpCQPLIXfAvghDSGZUKNdj0qm"
    "-RWgPEVJpVu1TjORLttcEYDB1JTweSAPuqRycv8Q3Qfnkq91krHbzG-_y5zXAo-7PnV-Nio0AXBwTofiSEq1"
    "X2bMkadlUUXLkQD3H9MvVUgK5YhXiwdRj88saL1JCcaQ6zsrSdMxlmdi5IBsjTppGnSFThg";

#endif
