"""DICOMweb (PS3.18) over both zones: search and retrieve, for clients that know nothing of Scanward."""
