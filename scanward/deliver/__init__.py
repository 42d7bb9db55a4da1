"""What goes out: frames, objects and pictures in the form that a client asks for (PS3.18 8.7, 10.4).

It knows the object and the ports; codecs run behind the decoder's port, never in the service's own process.
"""
